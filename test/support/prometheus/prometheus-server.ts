/** A real Prometheus, as Debian packages it. */
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerProcess, launch } from '../processes/peer-process.ts';
import { RULES, type Rule } from './rules.ts';

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

interface EvaluatedRule extends Pick<Rule, 'alert' | 'record'> {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

interface ExemplarSeries {
  readonly seriesLabels: Readonly<Record<string, string>>;
  readonly exemplars: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: string;
    readonly timestamp: number;
  }[];
}

/** Scrapes one target each second, as the job `sluice`, and evaluates the rules of deploy/prometheus. */
export class PrometheusServer extends PeerProcess {
  /** @param target `host:port` */
  static async start(target: string): Promise<PrometheusServer> {
    const launched = await launch('prometheus', (directory, address) => {
      const config = join(directory, 'prometheus.json');
      const files = ['recording.yaml', 'alerts.yaml'];
      for (const file of files) copyFileSync(join(RULES, file), join(directory, file));
      const settings = {
        global: { scrape_interval: '1s', evaluation_interval: '1s', scrape_timeout: '1s' },
        rule_files: files,
        scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets: [target] }] }],
      };
      // JSON is YAML.
      writeFileSync(config, JSON.stringify(settings));
      return [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=${address}`,
        '--enable-feature=exemplar-storage',
        '--log.level=error',
      ];
    });
    return new PrometheusServer(launched);
  }

  /** Evaluates a query now. Throws with Prometheus's complaint. */
  async query(query: string): Promise<readonly Sample[]> {
    const { result } = (await this.#ask('query', { query })) as { result: readonly Sample[] };
    return result;
  }

  async rules(): Promise<readonly EvaluatedRule[]> {
    const { groups } = (await this.#ask('rules', {})) as {
      groups: readonly { readonly rules: readonly EvaluatedRule[] }[];
    };
    return groups.flatMap(({ rules }) => rules);
  }

  /** Returns the exemplars of the last hour. */
  async exemplars(query: string): Promise<readonly ExemplarSeries[]> {
    const now = Date.now() / 1000;
    const range = { start: String(now - 3600), end: String(now + 60) };
    return (await this.#ask('query_exemplars', { query, ...range })) as readonly ExemplarSeries[];
  }

  async #ask(page: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    const url = `http://${this.address}/api/v1/${page}?${new URLSearchParams(parameters).toString()}`;
    const answer = (await (await fetch(url)).json()) as { status: string; error?: string; data: unknown };
    if (answer.status !== 'success')
      throw new Error(`${answer.error ?? 'failed'}: ${parameters.query ?? page}`);
    return answer.data;
  }
}
