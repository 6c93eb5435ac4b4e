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
        const command = await load(invocation.command);
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

function load(command: RunnableName): Promise<Command> {
  switch (command) {
    case 'to':
      return import('./cli/commands/to.ts');
    case 'init':
      return import('./cli/commands/init.ts');
    case 'completion':
      return import('./cli/commands/completion.ts');
    case 'run':
      return import('./cli/commands/run.ts');
    case 'check':
      return import('./cli/commands/check.ts');
    case 'print-config':
      return import('./cli/commands/print-config.ts');
    case 'explain':
      return import('./cli/commands/explain.ts');
    case 'schema':
      return import('./cli/commands/schema.ts');
    case 'demo':
      return import('./cli/commands/demo.ts');
    case 'reload':
      return import('./cli/commands/admin/reload.ts');
    case 'sessions':
      return import('./cli/commands/admin/sessions.ts');
    case 'kick':
      return import('./cli/commands/admin/kick.ts');
    case 'revoke':
      return import('./cli/commands/admin/revoke.ts');
    case 'events':
      return import('./cli/commands/admin/events.ts');
    case 'drain':
      return import('./cli/commands/admin/drain.ts');
    case 'status':
      return import('./cli/commands/admin/status.ts');
    case 'top':
      return import('./cli/commands/admin/top.ts');
    case 'tap':
      return import('./cli/commands/admin/tap.ts');
  }
}
