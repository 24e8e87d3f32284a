'use strict';

const DUPLICATE_KEY = 11000;
const END_OF_TIME = 8.64e15; // the last instant of a Date

/** Keeps sessions in MongoDB 4.2 or later. Each method works on one document, which MongoDB does in one step. */
class MongoStore {
  /** @param {import('mongodb').Collection} collection of nothing but sessions: `{ _id, value, expires }` */
  constructor(collection) {
    this.collection = collection;
  }

  /** Has the server remove expired records, about once a minute. To be called once, at the start of the app. */
  async createIndex() {
    await this.collection.createIndex({ expires: 1 }, { expireAfterSeconds: 0 });
  }

  async get(id) {
    return (await this.collection.findOne(live(id)))?.value;
  }

  async set(id, value, { expires, expected }) {
    const update = { $set: { value, expires: dateOf(expires) } };
    if (expected === null) return this.create(id, update);
    const upsert = expected === undefined;
    const filter = upsert ? { _id: id } : { ...live(id), value: expected };
    const { matchedCount, upsertedCount } = await this.collection.updateOne(filter, update, { upsert });
    return matchedCount + upsertedCount === 1;
  }

  /** Takes the place of an expired record. Where a live one is, the upsert tries to insert, and its `_id` is taken. */
  async create(id, update) {
    const expired = { _id: id, expires: { $lte: new Date() } };
    try {
      await this.collection.updateOne(expired, update, { upsert: true });
      return true;
    } catch (error) {
      if (error.code === DUPLICATE_KEY) return false;
      throw error;
    }
  }

  async touch(id, expires) {
    const update = { $set: { expires: dateOf(expires) } };
    return (await this.collection.updateOne(live(id), update)).matchedCount === 1;
  }

  async destroy(id) {
    await this.collection.deleteOne({ _id: id });
  }
}

const live = (id) => ({ _id: id, expires: { $gt: new Date() } });
const dateOf = (expires) => new Date(Math.min(expires, END_OF_TIME));

module.exports = { MongoStore };
