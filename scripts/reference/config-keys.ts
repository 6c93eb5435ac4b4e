/** Every key of the configuration as data: facts from the schema, and a text. */
import { SETTINGS } from '../../src/config/schema/root-settings.ts';
import { ACCESS_KEYS, LIMIT_KEYS, TLS_KEYS } from '../../src/config/reference/security-keys.ts';
import { CLUSTER_KEYS } from '../../src/config/reference/cluster-keys.ts';
import type { KeyText, KeyTexts } from '../../src/config/reference/key-text.ts';
import { LISTENER_KEYS } from '../../src/config/reference/listener-keys.ts';
import { ROOT_KEYS } from '../../src/config/reference/root-keys.ts';
import { ROUTE_KEYS } from '../../src/config/reference/route-keys.ts';
import { describeFormat, type FormatDescription } from '../../src/config/syntax/format-description.ts';
import { recordKeys, type RecordedKey } from './record-keys.ts';
import { defaultWords, typeWords } from './words.ts';

export interface ConfigKey {
  /** Names from the root, separated by dots, without indexes of lists. */
  readonly path: string;
  /** Formats of accepted values. Several if they depend on the mode or the engine. */
  readonly formats: readonly FormatDescription[];
  /** Accepted values in words. */
  readonly type: string;
  /** Default in Markdown. */
  readonly default: string;
  /** Layers of listeners that have the key. Empty for keys outside listeners. */
  readonly layers: readonly (4 | 7)[];
  /** Engines that know the key, in words. Null for keys outside listeners. */
  readonly engines: string | null;
  /** Environment variable that sets the key; null for none. */
  readonly environment: string | null;
  /** First version with the key. */
  readonly since: string;
  /** Effect of the key, as sentences in Markdown. */
  readonly text: string;
}

const FIRST_VERSION = '0.1.0';
/** First versions of keys added after {@link FIRST_VERSION}. */
const SINCE: Readonly<Record<string, string>> = {};

const TEXTS: KeyTexts = {
  ...ROOT_KEYS,
  ...LISTENER_KEYS,
  ...TLS_KEYS,
  ...ACCESS_KEYS,
  ...LIMIT_KEYS,
  ...ROUTE_KEYS,
  ...CLUSTER_KEYS,
};
/** Matches the keys of mappings that routes share with listeners. */
const SHARED = /^listeners\.routes\.(?:access|limits)\./;
/** A key that is accepted only to explain what to write instead. */
const HINT = 'clusters.hashOn.source_ip';
const LAYER_4 = 'mode l4';

/**
 * Lists every key after its parent mapping.
 *
 * @throws Error that names each key without a text, and each text without a key
 */
export function configKeys(): readonly ConfigKey[] {
  const recorded = new Map([...recordKeys()].filter(([path]) => !SHARED.test(path) && path !== HINT));
  const paths = inTreeOrder([...new Set([...Object.keys(SETTINGS), ...recorded.keys()])]);
  const strays = [
    ...paths.filter((path) => !Object.hasOwn(TEXTS, path)).map((path) => `${path} has no text`),
    ...Object.keys(TEXTS)
      .filter((path) => !paths.includes(path))
      .map((path) => `${path} has a text, but no such key exists`),
  ];
  if (strays.length > 0) throw new Error(strays.join('\n'));
  return paths.map((path) => keyOf(path, recorded));
}

function keyOf(path: string, recorded: ReadonlyMap<string, RecordedKey>): ConfigKey {
  const given = TEXTS[path]!;
  const text: KeyText = typeof given === 'string' ? { text: given } : given;
  const setting = Object.hasOwn(SETTINGS, path) ? SETTINGS[path as keyof typeof SETTINGS] : null;
  const key = recorded.get(path);
  const described = setting === null ? [] : [describeFormat(setting.format)];
  const formats = [...described, ...(key?.formats ?? [])].filter((format) => format !== null);
  const type = text.type ?? typeWords(formats);
  if (type === null) throw new Error(`${path} needs a type: its format does not describe itself`);
  const fallback = (): string =>
    setting === null ? defaultWords(key!, formats) : settingDefault(setting.default);
  const layers = layersOf(path, recorded);
  return {
    path,
    formats,
    type,
    default: text.default ?? fallback(),
    layers,
    engines: layers.length === 0 ? null : (text.engines ?? enginesOf(path, recorded, layers)),
    environment: setting === null ? null : `SLUICE_${path.replaceAll('.', '_').toUpperCase()}`,
    since: SINCE[path] ?? FIRST_VERSION,
    text: text.text,
  };
}

function settingDefault(value: unknown): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return 'none';
  return `\`${JSON.stringify(value).replaceAll('"', '')}\``;
}

/** Returns the layers whose mappings have the key. If mappings do not differ by layer, asks the parent key. */
function layersOf(path: string, recorded: ReadonlyMap<string, RecordedKey>): readonly (4 | 7)[] {
  if (!path.startsWith('listeners.')) return [];
  const parent = parentOf(path);
  const siblings = [...recorded].filter(([other]) => parentOf(other) === parent);
  const depends = siblings.some(([, { mappings }]) => [...mappings].some((what) => what.includes(LAYER_4)));
  if (!depends) return parent === 'listeners' ? [4, 7] : layersOf(parent, recorded);
  const mappings = [...(recorded.get(path)?.mappings ?? [])];
  return [
    ...(mappings.some((what) => what.includes(LAYER_4)) ? ([4] as const) : []),
    ...(mappings.some((what) => !what.includes(LAYER_4)) ? ([7] as const) : []),
  ];
}

function enginesOf(
  path: string,
  recorded: ReadonlyMap<string, RecordedKey>,
  layers: readonly (4 | 7)[],
): string {
  for (let at = path; at !== ''; at = parentOf(at)) {
    const engines = TEXTS[at] !== undefined && recorded.get(at)?.engines;
    if (Array.isArray(engines)) return engines.join(', ');
  }
  return layers.includes(7) ? 'every engine' : 'raw, net';
}

function inTreeOrder(paths: readonly string[]): readonly string[] {
  const below = (parent: string): readonly string[] =>
    paths.filter((path) => parentOf(path) === parent).flatMap((path) => [path, ...below(path)]);
  // Groups of settings, such as `workers`, are not settings themselves.
  const groups = new Set(paths.map(parentOf).filter((path) => path !== '' && !paths.includes(path)));
  return [...[...groups].flatMap(below), ...below('')];
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('.')));
}
