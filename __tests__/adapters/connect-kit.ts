/** What the conformance kit is told of all callback stores. */
export const CALLBACK_STORE = { atomic: 'in-process', values: 'session' } as const;
