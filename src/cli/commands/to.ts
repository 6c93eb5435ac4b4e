/** `sluice to`: runs a proxy in front of a server, without a configuration file. */
import type { ConfigSource } from '../../config/loader.ts';
import type { CommandOptions } from '../arguments.ts';
import { edgeConfig } from '../edge/edge-config.ts';
import { clientAddresses, planOf, type EdgePlan } from '../edge/edge-plan.ts';
import { checkPair } from '../edge/key-pair.ts';
import { readyText } from '../edge/ready-text.ts';
import { probeTargets, silenceText } from '../edge/target-probe.ts';
import { nextFree } from '../serving/free-port.ts';
import { shellWords } from '../serving/listen-remedy.ts';
import { runProxy } from '../serving/run-proxy.ts';

/** Place of problems in the configuration. */
const NAME = 'sluice to';
/** The other listeners are tunnels. */
const OPTIONS_OF_SETTINGS: Readonly<Record<string, string>> = {
  'listeners.0.address': '--listen',
  'admin.address': '--admin',
};

/**
 * Runs the proxy until a signal ends it, or prints its configuration with `--print`.
 *
 * @returns the exit status: see `runProxy`
 * @throws UsageError if the arguments are not valid, StartError if a certificate cannot be used
 */
export async function run(options: CommandOptions): Promise<number> {
  const given = planOf(options);
  if (given.certificate !== null) checkPair(given.certificate);
  if (options.flags.has('print')) {
    process.stdout.write(textOf(given));
    return 0;
  }
  const probed = await probeTargets(given.targets);
  const plan = await withFreeAdmin({ ...given, targets: probed.map(({ target }) => target) }, options);
  return runProxy({
    source: sourceOf(plan, options),
    watch: false,
    takeOver: false,
    onReady: ({ config, admin, write }) => {
      write(readyText(plan, probed, config.listeners, admin) + silenceText(probed));
    },
    changeAddress: (setting, address) => changed(options.argv, setting, address),
  });
}

function sourceOf(plan: EdgePlan, { overrides, env }: CommandOptions): ConfigSource {
  return { file: NAME, text: textOf(plan), overrides, env };
}

function textOf(plan: EdgePlan): string {
  return edgeConfig(plan, {
    heading: ['sluice in front of a server. Run it with sluice run -c FILE.'],
    tokenFile: null,
    isPretty: true,
  });
}

/** Nobody chose the default, so a busy port is no error: another `sluice to` may have it. */
async function withFreeAdmin(plan: EdgePlan, { flags, env }: CommandOptions): Promise<EdgePlan> {
  if (flags.has('admin') || (env.SLUICE_ADMIN_ADDRESS ?? '') !== '') return plan;
  const free = await nextFree(plan.admin, clientAddresses(plan));
  return free === null ? plan : { ...plan, admin: free };
}

function changed(argv: readonly string[], setting: string, address: string): string {
  const option = OPTIONS_OF_SETTINGS[setting];
  if (option === undefined) return `sluice to ... --tcp ${address}:HOST:PORT`;
  const others = argv.filter(
    (word, index) => word !== option && argv[index - 1] !== option && !word.startsWith(`${option}=`),
  );
  return `sluice ${shellWords([...others, option, address])}`;
}
