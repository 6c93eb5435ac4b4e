/** Which engine of layer 7 a listener can have, and which keys an engine can do. */
import { oneOf } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { Compression, L7Listener } from '../../types/listener.ts';

/** Keys of a listener that decide which engine can carry it. */
type EngineTerms = Pick<L7Listener, 'engine'> & {
  /** Null if the file has no such key. */
  readonly compression: Compression | null;
};

/**
 * Returns which key leads a listener to the engine `uws`, as it is written in the file; null if the engine is `raw` or
 * `net`. The machine decides between those two, never for `uws`.
 */
export function keyForUws({ engine, compression }: EngineTerms): string | null {
  if (engine !== 'auto') return engine === 'uws' ? 'engine: uws' : null;
  return compression === 'shared' ? 'websocket.compression: shared' : null;
}

/** Reads the optional key `engine` of a listener of mode l7. */
export function readL7Engine(listener: Section): L7Listener['engine'] {
  return listener.optional('engine', oneOf('auto', 'raw', 'net', 'uws'), 'auto');
}

/** Adds an error for each key of connections that the engine `uws` cannot do. @param usedKey see {@link keyForUws} */
export function refuseEntryOnUws(
  listener: Section,
  usedKey: string | null,
  { proxyProtocol, passthrough }: Pick<L7Listener, 'proxyProtocol' | 'passthrough'>,
): void {
  const keys = [
    ...(proxyProtocol === 'off' ? [] : ['proxyProtocol']),
    ...(passthrough.length === 0 ? [] : ['passthrough']),
  ];
  refuseForeignKeys(listener, usedKey, { own: keys, uws: [] });
}

/** Adds an error for each key that only the other engines can do. @param usedKey see {@link keyForUws} */
export function refuseForeignKeys(
  section: Section,
  usedKey: string | null,
  keys: { readonly own: readonly string[]; readonly uws: readonly string[] },
): void {
  const [foreign, engines] =
    usedKey === null ? [keys.uws, 'the engine uws'] : [keys.own, 'the engines raw and net'];
  const used = usedKey === null ? 'raw or net' : `uws because of "${usedKey}"`;
  for (const key of foreign.filter((each) => section.has(each))) {
    section.problemAt(key, `only ${engines} can do this, and the listener uses ${used}: leave the key out`);
  }
}
