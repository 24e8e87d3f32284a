import { after } from 'node:test';
import { createClient } from 'redis';

const client = await createClient({ url: process.env.REDIS_URL }).connect();
after(() => client.close());

// <own-store>

// <own-store-kit>
