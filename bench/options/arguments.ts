/** Reads the command line of the load generator into a plan. */
import { BENCH } from '../../src/cli/command-line/bench-command.ts';
import { optionsIn, type OptionSpec } from '../../src/cli/command-line/spec.ts';
import { tokensOf } from '../../src/cli/command-line/tokens.ts';
import { UsageError } from '../../src/core/errors.ts';
import { isToken } from '../../src/core/tokens.ts';
import { parseDuration } from '../../src/core/units/duration.ts';
import { parseRate } from '../../src/core/units/rate.ts';
import { hasControlCharacter } from '../../src/wire/http/field-value.ts';
import { trimOws } from '../../src/wire/http/request-head.ts';
import { parseAssertion, type Assertion } from './assertion.ts';
import {
  EXPECTATIONS,
  SCENARIOS,
  STAMP_LENGTH,
  type Plan,
  type ReplayOptions,
  type ScenarioName,
} from './plan.ts';
import { parseSizeDistribution, sizeBounds, type SizeDistribution } from './size-distribution.ts';
import { isEncrypted, isWebSocket, parseTarget } from './target.ts';

export interface RunInvocation {
  readonly plan: Plan;
  /** Null for every scenario except `replay`. The plan of a replay is complete after its recording is read. */
  readonly replay: ReplayOptions | null;
  readonly format: 'text' | 'json' | 'csv';
  readonly assertions: readonly Assertion[];
}

type OptionName = (typeof BENCH)['groups'][number]['options'][number]['name'];
const OPTIONS: ReadonlyMap<string, OptionSpec> = new Map(
  optionsIn(BENCH).map((option) => [option.name, option]),
);

/** The given values of each option, in order. */
type Given = ReadonlyMap<OptionName, readonly string[]>;

const MAX_CONNECTIONS = 1_000_000;
const MAX_IN_FLIGHT = 65_536;
const MAX_THREADS = 256;
const MAX_RATE = 1e9;
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;
const MAX_DURATION_MS = 7 * 24 * 3_600_000;
const MAX_SPEED = 1e6;
/** Max bytes of prepared messages per thread. */
const MAX_POOL_BYTES = 256 * 1024 * 1024;
/** Headers that the handshake writes itself. */
const OWN_HEADERS = /^(?:upgrade|connection|content-length|transfer-encoding|sec-websocket-.*)$/i;

/**
 * Parses the arguments after the program's name.
 *
 * @throws UsageError with a one-line message
 */
export function parseArguments(argv: readonly string[]): RunInvocation {
  const { given, urls } = readTokens(argv);
  const [url, ...more] = urls;
  if (url === undefined) throw new UsageError('no URL given: write one such as ws://127.0.0.1:8080/wsapp');
  if (more.length > 0) throw new UsageError(`unexpected argument "${more[0]!}": give one URL`);
  if (given.has('json') && given.has('csv')) throw new UsageError('--json and --csv exclude each other');
  return {
    plan: readPlan(url, given),
    replay: readReplay(given),
    format: given.has('json') ? 'json' : given.has('csv') ? 'csv' : 'text',
    assertions: (given.get('assert') ?? []).map(parseAssertion),
  };
}

function readPlan(url: string, given: Given): Plan {
  const target = parseTarget(url);
  const scenario = scenarioOf(given);
  const rate = rateOf(given);
  const connections = number(given, 'connections', 10, MAX_CONNECTIONS);
  const plan: Plan = {
    target,
    scenario,
    connections,
    durationMs: time(given, 'duration', scenario === 'replay' ? MAX_DURATION_MS : 10_000, 1),
    warmupMs: scenario === 'replay' ? 0 : time(given, 'warmup', 500, 0),
    rampMs: time(given, 'ramp', 0, 0),
    timeoutMs: time(given, 'timeout', 10_000, 1),
    inFlight: number(given, 'in-flight', rate === null ? 1 : 256, MAX_IN_FLIGHT),
    sizes: sizesOf(given),
    rate,
    // A thread without a connection would have nothing to do.
    threads: Math.min(connections, number(given, 'workers', 1, MAX_THREADS)),
    text: given.has('text'),
    subprotocols: given.get('subprotocol') ?? [],
    headers: (given.get('header') ?? []).map(parseHeader),
    insecure: given.has('insecure'),
    resume: given.has('resume'),
    replay: null,
  };
  checkPlan(plan, given);
  return plan;
}

function checkPlan(plan: Plan, given: Given): void {
  const { scenario, target, sizes } = plan;
  const { min, max } = sizeBounds(sizes);
  const refuse = (names: readonly OptionName[], why: string): void => {
    const name = names.find((candidate) => given.has(candidate));
    if (name !== undefined) throw new UsageError(`--${name} ${why}`);
  };
  if (scenario === 'connect' || scenario === 'idle') {
    refuse(['size', 'in-flight', 'text'], `has no effect: ${scenario} sends no messages`);
  }
  if (scenario === 'replay') {
    const why = 'has no effect with --replay: the recording says what is sent and when';
    refuse(['size', 'in-flight', 'text', 'rate', 'ramp', 'warmup'], why);
  } else {
    refuse(['speed', 'expect', 'redact'], 'needs --replay FILE');
  }
  if (scenario === 'idle') refuse(['rate'], 'has no effect: idle opens its connections within --ramp');
  if (!isEncrypted(target.protocol)) {
    refuse(['resume'], `has no effect: ${target.protocol}:// has no TLS`);
  }
  if (!isWebSocket(target.protocol)) {
    refuse(['text', 'subprotocol', 'header'], `is for WebSockets, and ${target.protocol}:// is none`);
    if (scenario === 'fan-out' || scenario === 'upload' || scenario === 'replay') {
      throw new UsageError(
        `--scenario ${scenario} is for WebSockets: nothing on a raw connection ends a message`,
      );
    }
    if (min < 1) throw new UsageError('-s 0: an empty message on a raw connection is nothing at all');
  }
  if (scenario === 'fan-out' && min < STAMP_LENGTH) {
    throw new UsageError(`-s: a fan-out message carries its time and needs ${STAMP_LENGTH} bytes at least`);
  }
  if (max > MAX_MESSAGE_BYTES) throw new UsageError(`-s: a message has 64MiB at most`);
  // An upload identifies each message by its position in a ring of `2 * inFlight` prepared messages.
  const made = scenario === 'upload' ? 2 * plan.inFlight : 1;
  if (made * max > MAX_POOL_BYTES) {
    throw new UsageError('-m times -s is more than 128MiB: lower one of them');
  }
  for (const name of plan.subprotocols) {
    if (!isToken(name)) throw new UsageError(`--subprotocol ${name}: a subprotocol is one word`);
  }
}

function readTokens(argv: readonly string[]): { given: Given; urls: readonly string[] } {
  const given = new Map<OptionName, string[]>();
  const urls: string[] = [];
  for (const token of tokensOf(argv, OPTIONS.values())) {
    if (token.kind === 'positional') urls.push(token.value);
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const spec = OPTIONS.get(name);
    if (!isOption(name) || spec === undefined) throw new UsageError(`unknown option ${rawName}`);
    const values = given.get(name) ?? [];
    if (spec.value === undefined) {
      if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
      values.push('');
    } else {
      // An argument that begins with a dash is the next option, not a value.
      if (value === undefined || value === '' || (!token.inlineValue && value.startsWith('-'))) {
        throw new UsageError(`${rawName} needs a value`);
      }
      if (values.length > 0 && spec.isRepeatable !== true) {
        throw new UsageError(`${rawName} is given twice`);
      }
      values.push(value);
    }
    given.set(name, values);
  }
  return { given, urls };
}

function isOption(name: string): name is OptionName {
  return OPTIONS.has(name);
}

/** Reads the options of a replay; null without one. */
function readReplay(given: Given): ReplayOptions | null {
  const file = given.get('replay')?.[0];
  if (file === undefined) return null;
  const speedText = given.get('speed')?.[0] ?? '1';
  const speed = /^\d+(?:\.\d+)?$/.test(speedText) ? Number(speedText) : NaN;
  if (!(speed > 0 && speed <= MAX_SPEED)) {
    throw new UsageError(`--speed ${speedText}: write a number such as 2 or 0.5, up to ${MAX_SPEED}`);
  }
  const expectText = given.get('expect')?.[0] ?? 'count';
  const expect = EXPECTATIONS.find((name) => name === expectText);
  if (expect === undefined) {
    throw new UsageError(`--expect ${expectText}: there are ${EXPECTATIONS.join(', ')}`);
  }
  return {
    file,
    speed,
    expect,
    redact: given.get('redact') ?? [],
    connections: given.has('connections') ? number(given, 'connections', 1, MAX_CONNECTIONS) : null,
    workers: number(given, 'workers', 1, MAX_THREADS),
  };
}

function scenarioOf(given: Given): ScenarioName {
  const replays = given.has('replay');
  const text = given.get('scenario')?.[0] ?? (replays ? 'replay' : 'echo');
  const scenario = SCENARIOS.find((name) => name === text);
  if (scenario === undefined) {
    throw new UsageError(`--scenario ${text}: there are ${SCENARIOS.join(', ')}`);
  }
  if (replays !== (scenario === 'replay')) {
    throw new UsageError(
      replays ? `--scenario ${text} conflicts with --replay` : '--scenario replay needs --replay FILE',
    );
  }
  return scenario;
}

/** Reads a whole number from 1 to `max`. */
function number(given: Given, name: OptionName, otherwise: number, max: number): number {
  const text = given.get(name)?.[0];
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value > 0 && value <= max)) {
    throw new UsageError(`--${name} ${text}: write a whole number above 0, up to ${max}`);
  }
  return value;
}

/** Reads the messages per second of an open loop; null for a closed loop. */
function rateOf(given: Given): number | null {
  const text = given.get('rate')?.[0];
  if (text === undefined) return null;
  const rate = parseRate(text, '/s');
  if (rate === undefined || rate <= 0 || rate > MAX_RATE) {
    throw new UsageError(`--rate ${text}: write a number above 0, up to ${MAX_RATE}`);
  }
  return rate;
}

/** Reads a duration of at least `min` milliseconds. A number without a unit is in seconds. */
function time(given: Given, name: OptionName, otherwise: number, min: number): number {
  const text = given.get(name)?.[0];
  if (text === undefined) return otherwise;
  const ms = parseDuration(text, 's');
  if (ms === undefined || ms < min || ms > MAX_DURATION_MS) {
    throw new UsageError(`--${name} ${text}: write a time such as 500ms, 30s or 2m, up to a week`);
  }
  return ms;
}

function sizesOf(given: Given): SizeDistribution {
  const text = given.get('size')?.[0];
  if (text === undefined) return { kind: 'fixed', size: 32 };
  const sizes = parseSizeDistribution(text);
  if (sizes === undefined) {
    throw new UsageError(`--size ${text}: write a size such as 32, 1KiB, 32-1KiB, exp:512 or 32@80,64KiB@20`);
  }
  return sizes;
}

function parseHeader(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  const name = text.slice(0, Math.max(0, colon));
  const value = trimOws(text.slice(colon + 1));
  if (!isToken(name) || hasControlCharacter(value)) {
    throw new UsageError(`-H ${JSON.stringify(text)}: write it as in -H 'Name: value'`);
  }
  if (OWN_HEADERS.test(name)) throw new UsageError(`-H ${name}: the handshake makes this header itself`);
  return [name, value];
}
