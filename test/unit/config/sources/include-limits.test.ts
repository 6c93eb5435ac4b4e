import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { composeFiles } from '../../../../src/config/sources/compose.ts';
import type { Composition } from '../../../../src/config/syntax/composition.ts';
import { BaseDirectory } from '../../../../src/config/syntax/files.ts';
import { OutsideValues } from '../../../../src/config/syntax/outside/outside-values.ts';
import { scratchDirectory } from '../load.ts';

const directory = scratchDirectory();

/** Composes a file. Calls `eachStep` before each step. */
function compose(text: string, eachStep: (step: number) => void = () => undefined): Composition {
  writeFileSync(join(directory, 'sluice.yaml'), text);
  const outside = new OutsideValues({}, new BaseDirectory(directory));
  const steps = composeFiles({ file: join(directory, 'sluice.yaml') }, outside, null);
  for (let step = 0; ; step++) {
    eachStep(step);
    const { done, value } = steps.next();
    if (done === true) return value.composition;
  }
}

describe('thousands of includes', () => {
  for (let index = 0; index < 30; index++) {
    writeFileSync(join(directory, `z${index}.part`), '- { match: {}, cluster: app }\n'.repeat(10));
  }
  const ROUTES = 'listeners:\n  - name: web\n    routes:\n';

  it('yield at each entry, and report a limit once', () => {
    let steps = 0;
    const { errors } = compose(`${ROUTES}${"      - include: 'z*.part'\n".repeat(3000)}`, () => steps++);
    assert.deepEqual(
      errors.map(({ message }) => message),
      ['included files come to more than 500000 values: include fewer of them'],
    );
    assert.ok(steps > 3000);
  });

  it('list a directory once for each pattern', () => {
    const { errors, warnings } = compose(`${ROUTES}${"      - include: 'y*.part'\n".repeat(300)}`, (step) => {
      if (step === 100) writeFileSync(join(directory, 'y.part'), '- 5\n');
    });
    assert.deepEqual([errors.length, warnings.length], [0, 300]);
  });

  it('have a bounded number of errors', () => {
    const { errors } = compose(`include:\n${"  - 'z*.part'\n".repeat(3000)}`);
    assert.ok(errors.length > 900 && errors.length < 1100, String(errors.length));
  });
});
