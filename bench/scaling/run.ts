/**
 * The command `npm run bench:scaling`: measures the cost of sessions and messages, and fits lines to it. With
 * `--config` it measures large configurations instead.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand, say } from '../options/command-line.ts';
import { machineText } from '../report/machine.ts';
import { REPORT_DIRECTORY, writePage } from '../report/page.ts';
import { coresToPin, pinSelf } from '../rig/pinning.ts';
import { Stage } from '../rig/stage.ts';
import { measureLarge } from './large/measure-large.ts';
import {
  IDLE_TIMEOUT_SECONDS,
  measureBatches,
  measureRates,
  measureSessions,
  type SessionPoint,
} from './measurement.ts';
import { fitAll, renderScaling, type ScalingReport } from './report.ts';

/**
 * A session takes two descriptors of a process. Above the process's limit, several processes share the
 * sessions.
 */
const SIZES = [
  { sessions: 100, processes: 1 },
  { sessions: 1000, processes: 1 },
  { sessions: 5000, processes: 1 },
  { sessions: 9900, processes: 1 },
  { sessions: 15_000, processes: 2 },
];
const RATES = [5000, 10_000, 20_000, 30_000, 40_000, 60_000];
const BATCHES = [1, 2, 4, 8, 16, 32];
const RATE_SESSIONS = 1000;

const argv = process.argv.slice(2);
process.exitCode = await runCommand('bench:scaling', () =>
  argv.includes('--config') ? measureLarge(argv) : measureUse(),
);

async function measureUse(): Promise<string> {
  const report = await measureAll();
  writeFileSync(join(REPORT_DIRECTORY, 'scaling.json'), `${JSON.stringify(report)}\n`);
  writePage();
  return renderScaling(report);
}

async function measureAll(): Promise<ScalingReport> {
  const cores = coresToPin();
  if (cores !== null) pinSelf(cores.driver);
  const stage = new Stage(cores);
  try {
    const sessions: SessionPoint[] = [];
    for (const size of SIZES) {
      say(`${size.sessions} sessions`);
      const { sessions: count, processes } = size;
      sessions.push(await measureSessions(stage, count, processes));
    }
    say('messages');
    const batches = await measureBatches(stage, BATCHES);
    const rates = await measureRates(stage, RATE_SESSIONS, RATES);
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: machineText(),
      sessions,
      rates,
      fits: fitAll(sessions, batches, IDLE_TIMEOUT_SECONDS),
    };
  } finally {
    await stage.stopAll();
  }
}
