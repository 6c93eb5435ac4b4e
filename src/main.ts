#!/usr/bin/env node
/** Parses the command line and runs a command. Modules load on demand: `check` needs no engine. */
import { fileURLToPath } from 'node:url';
import type { CommandOptions, Invocation, RunnableName } from './cli/arguments.ts';
import { commandToExplain, parseArguments } from './cli/arguments.ts';
import { describeFailure } from './cli/diagnostics.ts';
import { chooseNode, runOnPinned } from './cli/runtime.ts';
import { guardErrors, guardOutput } from './cli/standard-streams.ts';
import { shortUsage, usage } from './cli/usage.ts';
import { version } from './core/version.ts';

interface Command {
  /** Resolves with the exit status. */
  readonly run: (options: CommandOptions) => Promise<number> | number;
}

/**
 * Modules of the commands in the table of `cli/command-line/`, as literals for the bundler. The types compare
 * both.
 */
const MODULES: Readonly<Record<RunnableName, () => Promise<Command>>> = {
  to: () => import('./cli/commands/to.ts'),
  init: () => import('./cli/commands/init.ts'),
  completion: () => import('./cli/commands/completion.ts'),
  run: () => import('./cli/commands/run.ts'),
  check: () => import('./cli/commands/check.ts'),
  'print-config': () => import('./cli/commands/print-config.ts'),
  explain: () => import('./cli/commands/explain.ts'),
  schema: () => import('./cli/commands/schema.ts'),
  demo: () => import('./cli/commands/demo.ts'),
  reload: () => import('./cli/commands/admin/reload.ts'),
  sessions: () => import('./cli/commands/admin/sessions.ts'),
  kick: () => import('./cli/commands/admin/kick.ts'),
  revoke: () => import('./cli/commands/admin/revoke.ts'),
  events: () => import('./cli/commands/admin/events.ts'),
  drain: () => import('./cli/commands/admin/drain.ts'),
  status: () => import('./cli/commands/admin/status.ts'),
  top: () => import('./cli/commands/admin/top.ts'),
  tap: () => import('./cli/commands/admin/tap.ts'),
};

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const invocation = parseArguments(argv, process.env);
    switch (invocation.kind) {
      case 'help':
        guardOutput();
        process.stdout.write(usage(invocation.command));
        return 0;
      case 'none':
        guardErrors();
        process.stderr.write(shortUsage());
        return 2;
      case 'version':
        guardOutput();
        process.stdout.write(`sluice ${version()}\n`);
        return 0;
      case 'bench':
      case 'command': {
        const node = chooseNode(import.meta.url, process.version, process.env);
        if (node !== null) return await runOnPinned(node, fileURLToPath(import.meta.url), argv);
        if (!runsProxy(invocation)) guardOutput();
        if (invocation.kind === 'bench') {
          const { run } = await import('./cli/commands/bench.ts');
          return await run(invocation.argv);
        }
        ignoreEarlySignals(invocation.command);
        const command = await MODULES[invocation.command]();
        return await command.run(invocation.options);
      }
    }
  } catch (error) {
    const { text, status } = describeFailure(error, commandToExplain(argv));
    guardErrors();
    process.stderr.write(text);
    return status;
  }
}

/** Reports whether a command leaves standard output to a proxy's log. */
function runsProxy(invocation: Invocation): boolean {
  if (invocation.kind !== 'command') return false;
  const { command, options } = invocation;
  return command === 'run' || (command === 'to' && !options.flags.has('print'));
}

/** Ignores signals for a running proxy that come before it handles them, or when it has nearly ended. */
function ignoreEarlySignals(command: RunnableName): void {
  // Without a handler, Node would open its inspector.
  process.on('SIGUSR1', () => undefined);
  if (command !== 'run' && command !== 'to') return;
  for (const signal of ['SIGHUP', 'SIGUSR2']) process.on(signal, () => undefined);
}
