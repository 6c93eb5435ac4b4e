import { setFlagsFromString } from 'node:v8';

/** The versions of V8 whose flag and default are known: Node 22 has it. */
const KNOWN_V8 = '12.4.';
const FLAG = '--invocation-count-for-turbofan';
const DEFAULT_CALLS = 3000;
const EARLY_CALLS = 100;

/**
 * Lets V8 compile functions for speed after fewer calls until `act` has ended: by default it waits for 3,000 calls of a
 * function, and a warm-up has no time for as many handshakes. The flag holds for all threads of the process. A flag that the
 * command line of Node sets is left alone.
 */
export async function compileEarly<T>(act: () => Promise<T>): Promise<T> {
  if (!process.versions.v8.startsWith(KNOWN_V8) || isFlagSet(process.execArgv)) return act();
  setFlagsFromString(`${FLAG}=${EARLY_CALLS}`);
  try {
    return await act();
  } finally {
    setFlagsFromString(`${FLAG}=${DEFAULT_CALLS}`);
  }
}

/** NODE_OPTIONS cannot set the flag: Node refuses it there. V8 takes `_` for `-`, and one dash in front for two. */
function isFlagSet(execArgv: readonly string[]): boolean {
  return execArgv.some((argument) => `-${argument.replaceAll('_', '-')}`.includes(`${FLAG}=`));
}
