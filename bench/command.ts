/** The load generator, from the command line to the exit status. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Crew, type CrewOptions } from './driver/crew/crew.ts';
import { resolveAddress } from './driver/dialling/resolve-address.ts';
import { parseArguments, type RunInvocation } from './options/arguments.ts';
import { prepareReplay, readRecords } from './recorded/read-replay.ts';
import { renderCsv } from './report/csv.ts';
import { Progress } from './report/progress.ts';
import { recordOf } from './report/record.ts';
import { terminalText } from './report/terminal-text.ts';
import { renderText } from './report/text.ts';
import { mergeOutcomes, type Result } from './result/result.ts';
import { judge, type Verdict } from './result/verdict.ts';

const INTERRUPTED = 130;
/** The width of terminals that do not know their own. */
const DEFAULT_WIDTH = 80;

/**
 * Runs the load generator.
 *
 * @param argv arguments after the command
 * @returns the exit status: 0 on success if all assertions hold, 1 otherwise, 130 if interrupted
 * @throws UsageError for bad usage
 * @throws StartError if the target has no address, or the recording cannot be read
 */
export async function bench(argv: readonly string[]): Promise<number> {
  const invocation = parseArguments(argv);
  const result = await run(invocation);
  const verdicts = invocation.assertions.map((assertion) => judge(result, assertion));
  process.stdout.write(render(invocation.format, result, verdicts));
  if (result.interrupted) return INTERRUPTED;
  const good = result.errorCount + result.closeCount === 0 && verdicts.every(({ holds }) => holds);
  return good ? 0 : 1;
}

async function run(invocation: RunInvocation): Promise<Result> {
  const { plan, ...more } = await prepare(invocation);
  const address = await resolveAddress(plan.target.host, plan.target.port);
  const threadFile = fileURLToPath(new URL(`./scenarios/thread${extname(import.meta.url)}`, import.meta.url));
  const crew = new Crew({ plan, address, threadFile, ...more });
  const progress = process.stderr.isTTY ? new Progress(crew, plan, process.stderr) : null;
  let interrupted = false;
  const onSignal = (): void => {
    if (interrupted) process.exit(INTERRUPTED);
    interrupted = true;
    crew.stop();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return mergeOutcomes(plan, await crew.run(), interrupted);
  } finally {
    progress?.end();
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

/** Completes a replay's plan with its recording. */
async function prepare({ plan, replay }: RunInvocation): Promise<Pick<CrewOptions, 'plan' | 'recorded'>> {
  return replay === null ? { plan } : prepareReplay(plan, replay, readRecords(replay.file));
}

function render(format: RunInvocation['format'], result: Result, verdicts: readonly Verdict[]): string {
  switch (format) {
    case 'text':
      return terminalText(renderText(result, verdicts, outputWidth()));
    case 'json':
      return `${JSON.stringify(recordOf(result, verdicts), null, 2)}\n`;
    case 'csv':
      return renderCsv(recordOf(result, verdicts));
  }
}

/** Returns the width of the terminal. Files and pipes get whole lines. */
function outputWidth(): number {
  return process.stdout.isTTY ? process.stdout.columns || DEFAULT_WIDTH : Infinity;
}
