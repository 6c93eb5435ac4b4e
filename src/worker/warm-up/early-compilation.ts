import { setFlagsFromString } from 'node:v8';

/** The V8 version with the known flag and default: that of Node 22. */
const KNOWN_V8 = '12.4.';
const FLAG = '--invocation-count-for-turbofan';
const DEFAULT_CALLS = 3000;
const EARLY_CALLS = 100;

/**
 * Makes V8 optimize functions after fewer calls until `act` has ended. By default it waits for 3,000 calls of
 * a function, too many for a warm-up. The flag applies to all threads of the process. A flag set on Node's
 * command line is left alone.
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

/**
 * Whether the command line sets the flag. NODE_OPTIONS cannot set it: Node refuses it there. V8 accepts `_`
 * for `-`, and one leading dash instead of two.
 */
function isFlagSet(execArgv: readonly string[]): boolean {
  return execArgv.some((argument) => `-${argument.replaceAll('_', '-')}`.includes(`${FLAG}=`));
}
