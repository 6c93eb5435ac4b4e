/** Decides whether a listener uses the engine `uws`, and refuses keys that its engine does not support. */
import { oneOf } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { Compression, L7Listener } from '../../types/listener.ts';

/** Listener keys that decide which engine can serve it. */
type EngineTerms = Pick<L7Listener, 'engine'> & {
  /** Null if the file lacks the key. */
  readonly compression: Compression | null;
};

/**
 * Returns the key that selects the engine `uws`, as written in the file. Null if no key does: the engine is
 * then `raw` or `net`, because the machine never chooses `uws`.
 */
export function keyForUws({ engine, compression }: EngineTerms): string | null {
  if (engine !== 'auto') return engine === 'uws' ? 'engine: uws' : null;
  return compression === 'shared' ? 'websocket.compression: shared' : null;
}

/** Reads the optional key `engine` of an l7 listener. */
export function readL7Engine(listener: Section): L7Listener['engine'] {
  return listener.optional('engine', oneOf('auto', 'raw', 'net', 'uws'), 'auto');
}

/**
 * Adds an error for each connection key that the engine `uws` does not support.
 *
 * @param uwsKey see {@link keyForUws}
 */
export function refuseConnectionKeysOnUws(
  listener: Section,
  uwsKey: string | null,
  { proxyProtocol, passthrough }: Pick<L7Listener, 'proxyProtocol' | 'passthrough'>,
): void {
  const keys = [
    ...(proxyProtocol === 'off' ? [] : ['proxyProtocol']),
    ...(passthrough.length === 0 ? [] : ['passthrough']),
  ];
  refuseUnsupportedKeys(listener, uwsKey, { own: keys, uws: [] });
}

/** Adds an error for each key that only the other engines support. @param uwsKey see {@link keyForUws} */
export function refuseUnsupportedKeys(
  section: Section,
  uwsKey: string | null,
  keys: { readonly own: readonly string[]; readonly uws: readonly string[] },
): void {
  section.problems.observer?.engines?.(section.path, keys.own, ['raw', 'net']);
  section.problems.observer?.engines?.(section.path, keys.uws, ['uws']);
  const [foreign, engines] =
    uwsKey === null ? [keys.uws, 'the engine uws'] : [keys.own, 'the engines raw and net'];
  const used = uwsKey === null ? 'raw or net' : `uws because of "${uwsKey}"`;
  for (const key of foreign.filter((each) => section.has(each))) {
    section.problemAt(key, `only ${engines} support this, and the listener uses ${used}: leave the key out`);
  }
}
