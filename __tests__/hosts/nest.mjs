// A NestJS app, whose packages are ES modules: Jest can't load them. Decorators are called as the functions that they are.
// Usage: node nest.mjs LIBRARY. Prints its address when it listens, and ends when its input ends.
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Controller, Get, Module, Post, Redirect, Session } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';

const require = createRequire(import.meta.url);
const session = require(process.argv[2]);
const { SlowStore } = require('./slow-store.cjs');

class AppController {
  me(session) {
    return session.user ?? 'nobody';
  }

  login(session) {
    session.user = 'ada';
  }

  async logout(session) {
    await session.destroy();
    return 'bye';
  }
}

function decorate(method, ...decorators) {
  const { prototype } = AppController;
  Session()(prototype, method, 0);
  for (const decorator of decorators)
    decorator(prototype, method, Object.getOwnPropertyDescriptor(prototype, method));
}
decorate('me', Get('me'));
decorate('login', Post('login'), Redirect('/me'));
decorate('logout', Post('logout'));
Controller()(AppController);

class AppModule {}
Module({ controllers: [AppController] })(AppModule);

const store = new SlowStore();
const app = await NestFactory.create(AppModule, { logger: ['error'] });
app.use('/users', (_req, res) => res.json(store.users()));
app.use(session({ ...session.recommended, secret: 'for a test only', store }));
await app.listen(0, '127.0.0.1');
console.log(await app.getUrl());
process.stdin.resume().on('end', () => process.exit());
