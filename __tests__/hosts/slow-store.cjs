// For this process and for that of nest.mjs.

const SAVING = 100; // milliseconds: time enough for a response that doesn't wait to be with its client

/** Keeps sessions in memory, and takes its time over saving. */
class SlowStore {
  #records = new Map();

  async get(id) {
    return this.#records.get(id);
  }

  async set(id, text) {
    await new Promise((resolve) => setTimeout(resolve, SAVING));
    this.#records.set(id, text);
    return true;
  }

  async touch(id) {
    return this.#records.has(id);
  }

  async destroy(id) {
    this.#records.delete(id);
  }

  /** Whose sessions are stored at this moment. */
  users() {
    return [...this.#records.values()].map((text) => JSON.parse(text).user);
  }
}

module.exports = { SlowStore };
