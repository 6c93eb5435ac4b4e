/** The engines of layer 7 that tests run on. */
import { missingBinary } from '../../src/l7/uws/process-settings.ts';
import { opensslProblem } from '../../src/sys/openssl.ts';
import { unsupportedReason } from '../../src/sys/support.ts';

export type EngineName = 'raw' | 'net' | 'uws';

const RUNNABLE: readonly EngineName[] = [
  ...(unsupportedReason() === null ? ['raw' as const] : []),
  'net',
  ...(missingBinary() === null ? ['uws' as const] : []),
];

/** Those that this machine can run. `TEST_ENGINES=net,uws` runs fewer, to find a fault sooner. */
export const ENGINES: readonly EngineName[] = chosen(process.env.TEST_ENGINES);

/**
 * One of sluice's own engines and uWebSockets.js: for tests of code above the engines, and for tests that
 * take minutes on each.
 */
export const SCALE_ENGINES: readonly EngineName[] = ENGINES.filter(
  (engine, index) => index === 0 || engine === 'uws',
);

/** An engine whose clients use TLS. */
export type TlsEngine = 'raw-tls' | 'net-tls';

/** Those that this machine can run. */
export const TLS_ENGINES: readonly TlsEngine[] = [
  ...(ENGINES.includes('raw') && opensslProblem() === null ? ['raw-tls' as const] : []),
  ...(ENGINES.includes('net') ? ['net-tls' as const] : []),
];

/** Whether suites run every case over TLS, too, and not only some: `TEST_TLS=all`. */
export const TESTS_ALL_OVER_TLS = process.env.TEST_TLS === 'all';

/** Whether clients use TLS. */
export function usesTls(engine: EngineName | TlsEngine): engine is TlsEngine {
  return engine.endsWith('-tls');
}

/** The engine as a configuration names it. */
export function withoutTls(engine: EngineName | TlsEngine): EngineName {
  return usesTls(engine) ? (engine.slice(0, -'-tls'.length) as EngineName) : engine;
}

/** Whether the engine moves a session's bytes as they come, and not whole messages. */
export function isOwnEngine(engine: EngineName): boolean {
  return engine !== 'uws';
}

function chosen(names: string | undefined): readonly EngineName[] {
  if (names === undefined || names === '') return RUNNABLE;
  return RUNNABLE.filter((engine) => names.split(',').includes(engine));
}
