const POLL_MS = 50;

/** Resolves when the condition holds, looked at every 50 ms, or when the time is over. */
export function drained(condition: () => boolean, mostMs: number): Promise<void> {
  return new Promise((resolve) => {
    const end = performance.now() + mostMs;
    const look = (): void => {
      if (condition() || performance.now() >= end) resolve();
      else setTimeout(look, POLL_MS);
    };
    look();
  });
}
