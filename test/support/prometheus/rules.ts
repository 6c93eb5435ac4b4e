/** The rules of deploy/prometheus, and their tests. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const RULES = join(resolve(import.meta.dirname, '../../..'), 'deploy/prometheus');

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleTest {
  readonly name: string;
  readonly input_series: readonly { readonly series: string }[];
  readonly promql_expr_test: readonly {
    readonly expr: string;
    readonly exp_samples: readonly { readonly labels: string }[];
  }[];
}

/** Reads the rules of a file, in the order of their evaluation. */
export function readRules(file: 'recording.yaml' | 'alerts.yaml'): Rule[] {
  const { groups } = read(file) as { groups: readonly { readonly rules: readonly Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}

export function readRuleTests(): readonly RuleTest[] {
  return (read('tests.yaml') as { tests: readonly RuleTest[] }).tests;
}

function read(file: string): unknown {
  return parse(readFileSync(join(RULES, file), 'utf8'));
}
