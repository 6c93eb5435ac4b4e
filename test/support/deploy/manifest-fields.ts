/**
 * Finds fields that manifests have and the API lacks. The models' own validation ignores them, as an API server does
 * without `--validate=strict`. The models' types, generated from the same OpenAPI documents, do not.
 */
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from '../processes/program.ts';
import type { Rendered } from './manifests.ts';

/** A file that need not exist. Its folder decides where packages are looked for. */
const FILE = join(ROOT, 'test/support/deploy/checked-manifests.ts');
const OPTIONS: ts.CompilerOptions = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
  lib: ['lib.es2022.d.ts'],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
};

/**
 * Returns a sentence for each unknown field and each value of another type: the manifest, and what the compiler says.
 * Takes a second.
 */
export function fieldFaults(manifests: readonly Rendered[]): string[] {
  // One manifest a line. JSON is a literal, and literals may only have known fields.
  const lines = manifests.map((manifest, i) => {
    const type = `import('${packageOf(manifest.apiVersion)}').I${manifest.kind}`;
    return `export const manifest${i}: ${type} = ${JSON.stringify(manifest)};`;
  });
  const file = ts.createSourceFile(FILE, lines.join('\n'), ts.ScriptTarget.ES2022);
  const host = ts.createCompilerHost(OPTIONS);
  const program = ts.createProgram([FILE], OPTIONS, {
    ...host,
    fileExists: (path) => path === FILE || host.fileExists(path),
    getSourceFile: (path, ...rest) => (path === FILE ? file : host.getSourceFile(path, ...rest)),
  });
  const own = program.getSourceFile(FILE);
  return [...program.getSyntacticDiagnostics(own), ...program.getSemanticDiagnostics(own)].map(
    ({ start = 0, messageText }) => {
      const { kind, metadata } = manifests[file.getLineAndCharacterOfPosition(start).line]!;
      return `${kind} ${metadata.name}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    },
  );
}

/** Returns the module that has the types of an API group. */
function packageOf(apiVersion: string): string {
  const name = apiVersion.startsWith('monitoring.coreos.com/')
    ? '@kubernetes-models/prometheus-operator'
    : 'kubernetes-models';
  return `${name}/${apiVersion}`;
}
