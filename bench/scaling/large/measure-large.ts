/** `npm run bench:scaling -- --config`: the cost of a large configuration. */
import { writeFileSync } from 'node:fs';
import { say } from '../../options/command-line.ts';
import { machineText } from '../../report/machine.ts';
import { Stage } from '../../rig/stage.ts';
import { USAGE, parseLargeArguments, type LargeOptions, type Part } from './arguments.ts';
import { costLine, seriesAround, type CostLine } from './cost-lines.ts';
import { largeHaproxy } from './large-haproxy.ts';
import type { LargePeer } from './large-peer.ts';
import { largeSluice } from './large-sluice.ts';
import { measureMetrics, measureReloads, measureStart, type StartFigures } from './measurement.ts';
import { renderLarge, type PeerFigures } from './report.ts';
import { RunningPeer } from './running-peer.ts';
import type { LargeSizes } from './sizes.ts';

/**
 * Runs the command.
 *
 * @returns the tables, or the usage
 * @throws UsageError in one line
 */
export async function measureLarge(argv: readonly string[]): Promise<string> {
  const options = parseLargeArguments(argv);
  if (options.help) return USAGE;
  // Not pinned: workers must answer during a reload while the primary uses another core.
  const stage = new Stage(null);
  try {
    const text = renderLarge({
      date: new Date().toISOString().slice(0, 10),
      machine: machineText(),
      sizes: options.sizes,
      peers: await measurePeers(stage, options),
      lines: await measureLines(stage, options),
    });
    if (options.write !== null) writeFileSync(options.write, text);
    return text;
  } finally {
    await stage.stopAll();
  }
}

/** Parts that are also measured with other proxies. */
const PROXY_PARTS: ReadonlySet<Part> = new Set(['start', 'reloads', 'metrics']);

async function measurePeers(stage: Stage, options: LargeOptions): Promise<PeerFigures[]> {
  if (!options.parts.some((part) => PROXY_PARTS.has(part))) return [];
  const found: PeerFigures[] = [];
  for (const peer of options.peers ? [largeSluice, largeHaproxy] : [largeSluice]) {
    const version = peer.version();
    if (version === null) say(`not installed: ${peer.name}`);
    else found.push({ name: peer.name, version, ...(await measurePeer(stage, peer, options)) });
  }
  return found;
}

async function measurePeer(
  stage: Stage,
  peer: LargePeer,
  { parts, sizes, reloads }: LargeOptions,
): Promise<Omit<PeerFigures, 'name' | 'version'>> {
  const figures: { -readonly [K in 'start' | 'reloads' | 'metrics']?: PeerFigures[K] } = {};
  if (parts.includes('start')) {
    say(`${peer.name}: start`);
    figures.start = await measureStart(stage, peer, sizes);
  }
  if (!parts.includes('reloads') && !parts.includes('metrics')) return figures;
  const running = await RunningPeer.start(stage, peer, sizes);
  if (parts.includes('metrics')) {
    say(`${peer.name}: metrics`);
    figures.metrics = await measureMetrics(running);
  }
  if (parts.includes('reloads')) {
    say(`${peer.name}: ${reloads} reloads`);
    figures.reloads = await measureReloads(running, reloads);
  }
  await running.stop();
  return figures;
}

async function measureLines(stage: Stage, { sizes, rounds, parts }: LargeOptions): Promise<CostLine[]> {
  const series = seriesAround(sizes).filter(({ dimension }) => parts.includes(dimension));
  const found = new Map<string, StartFigures[]>();
  const keyOf = (one: LargeSizes): string => JSON.stringify(one);
  for (let round = 1; round <= rounds; round++) {
    // All series share the middle configuration. One start of it per round is enough.
    const wanted = new Map(
      series.flatMap(({ points }) => points.map((point) => [keyOf(point.sizes), point])),
    );
    for (const [key, point] of wanted) {
      say(`round ${round}: ${key}`);
      const figures = await measureStart(stage, largeSluice, point.sizes);
      found.set(key, [...(found.get(key) ?? []), figures]);
    }
  }
  return series.map((one) =>
    costLine(
      one,
      one.points.map((point) => found.get(keyOf(point.sizes)) ?? []),
    ),
  );
}
