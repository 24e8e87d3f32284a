export type Call = () => void;

/** What is done, with a response that is held, only later. Most of them have nothing of the kind. */
export class Postponed {
  /** Calls that would have closed the connection before the response had left. If it is taken back, they wait for the error page. */
  #closings: Call[] = [];
  /** Calls that came right after the end. They are made after the real end, to fail as they would have. */
  #late: Call[] = [];
  /** Calls that came when a plain response would have been over by then. They are made when this one is. */
  #tardy: Call[] = [];

  get hasClosings(): boolean {
    return this.#closings.length > 0;
  }

  addClosing(call: Call): void {
    this.#closings.push(call);
  }

  addLate(call: Call): void {
    this.#late.push(call);
  }

  addTardy(call: Call): void {
    this.#tardy.push(call);
  }

  // ---- When its time has come. Each is done once, whatever is added meanwhile.

  close(): void {
    const due = this.#closings;
    this.#closings = [];
    makeAll(due);
  }

  replayLate(): void {
    const due = this.#late;
    this.#late = [];
    makeAll(due);
  }

  replayTardy(): void {
    const due = this.#tardy;
    this.#tardy = [];
    makeAll(due);
  }

  /** The response that they were about was taken back. */
  forgetCalls(): void {
    this.#late = [];
    this.#tardy = [];
  }
}

function makeAll(calls: readonly Call[]): void {
  for (const call of calls) call();
}
