/** config/schema.json accepts what the loader accepts, and refuses unknown keys, wrong types and unknown words. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { load } from 'js-yaml';
import { SourceFile } from '../../../src/config/syntax/source-file.ts';
import { plainOf, schemaErrors, schemaErrorsOf } from '../../support/config-schema.ts';
import { blocksOf, documents } from '../../support/documents/blocks.ts';
import { completed, isConfiguration } from '../../support/documents/config-blocks.ts';
import {
  WRONG_VALUES,
  eachMistake,
  eachUnknownKey,
  otherForms,
  scalarsIn,
} from '../../support/wrong-values.ts';
import { MINIMAL, cluster, errorsOf, l7, routes } from '../config/load.ts';
import { WHOLE, WHOLE_FILES, loadWhole } from '../config/whole.ts';

interface ConfigMap {
  readonly data: Readonly<Record<string, string>>;
}

const ROOT = resolve(import.meta.dirname, '../../..');
const UNKNOWN = 'zzz';
/** Mappings whose keys are the user's own. */
const FREE = /(?:^tracing\.(?:routes|headers)|\.(?:require|forward|set|add|match\.headers|match\.query))$/;

/** Keys that the loader takes from no file, although the schema accepts a mapping with the key `file`. */
const NOT_IN_FILES: readonly string[] = [
  'listeners[].limits.key',
  'listeners[].mode',
  'listeners[].routes[].access.basic',
  'listeners[].routes[].access.deny',
  'listeners[].routes[].access.origins',
  'listeners[].routes[].errorPages',
  'listeners[].tls.ciphers',
  'listeners[].tls.groups',
];

describe('config/schema.json accepts', () => {
  it('a configuration with every key', () => assert.deepEqual(schemaErrors(WHOLE), []));

  for (const { file, text } of configurations()) {
    it(file, () => assert.deepEqual(schemaErrors(text), []));
  }

  it('every configuration of the documents', () => {
    const blocks = documents().flatMap((page) =>
      blocksOf(page)
        .filter(isConfiguration)
        .map(({ code, line }) => ({ place: `${page}, line ${line}`, errors: schemaErrors(completed(code)) })),
    );
    assert.ok(blocks.length > 40, `${blocks.length} configurations`);
    assert.deepEqual(
      blocks.filter(({ errors }) => errors.length > 0),
      [],
    );
  });

  it('variables of the environment in place of every kind of value', () => {
    const text = l7(
      'maxConnections: ${MAX}',
      'via: ${VIA}',
      'engine: ${ENGINE:-raw}',
      'websocket: { idleTimeout: "${IDLE}", endpointLostCode: "${CODE}" }',
      'access: { deny: "${DENY}", jwt: "${KEYS}", forwardAuth: "${URL}" }',
    );
    assert.deepEqual(schemaErrors(text), []);
  });

  it('a file in place of every value that the loader takes from one, and of no other', () => {
    loadWhole();
    const config = plainOf(new SourceFile(WHOLE).root);
    const files: Record<string, string | Uint8Array> = { ...WHOLE_FILES };
    const asFiles = [...scalarsIn(config)].map(({ path, value, put }, index) => {
      const file = `value-${index}.txt`;
      files[file] = `${String(value)}\n`;
      // An empty file is refused.
      if (value !== '') put({ file });
      return { path, file, restore: () => put(value), replace: () => put({ file }) };
    });
    // The loader names lines. Each value has its own lines, so that a refused one is found.
    const refused = new Set<string>();
    for (;;) {
      const text = JSON.stringify(config, null, 1);
      const lines = text.split('\n');
      const found = errorsOf(text, { files }).flatMap((error) => {
        const at = Number(error.split(':')[0]);
        const near = lines.slice(at - 1, at + 2).join('\n');
        return asFiles.filter(({ file }) => file === /value-\d+\.txt/.exec(near)?.[0]);
      });
      if (found.length === 0) break;
      for (const { path, restore } of found) {
        refused.add(path);
        restore();
      }
    }
    assert.deepEqual(errorsOf(JSON.stringify(config), { files }), []);
    assert.deepEqual(schemaErrorsOf(config), []);
    const accepting = asFiles.filter(({ path, replace, restore }) => {
      if (!refused.has(path)) return false;
      replace();
      const isAccepted = schemaErrorsOf(config).length === 0;
      restore();
      return isAccepted;
    });
    assert.deepEqual([...new Set(accepting.map(({ path }) => path))].toSorted(), NOT_IN_FILES);
    assert.ok(asFiles.length > 200, `${asFiles.length} values`);
  });

  it('a file that includes the listeners', () => {
    assert.deepEqual(schemaErrors('include: sites/*.yaml\n'), []);
    assert.notDeepEqual(schemaErrors('includes: sites/*.yaml\n'), []);
  });

  it('one file or a list of files, and routes of them', () => {
    const text = l7().replace('routes: [', 'routes: [{ include: "routes/*.yaml" }, ');
    const list = l7().replace('routes: [', 'routes: [{ include: [a.yaml, "b/*.yaml"] }, ');
    for (const each of [text, list, `include: a.yaml\n${l7()}`, `include: [a.yaml, "b/*.yaml"]\n${l7()}`])
      assert.deepEqual(schemaErrors(each), []);
    for (const wrong of ['5', '{ file: a }', '[5]', '""'])
      assert.notDeepEqual(schemaErrors(`include: ${wrong}\n${l7()}`), [], wrong);
    assert.notDeepEqual(schemaErrors(text.replace('include:', 'cluster: app, include:')), []);
  });

  it('a port of https, or a switch', () => {
    for (const value of ['true', 'false', '1', '65535', '${PORT}'])
      assert.deepEqual(schemaErrors(l7(`redirectToHttps: ${value}`)), [], value);
    for (const value of ['0', '65536', '1.5', 'yes', '[]'])
      assert.notDeepEqual(schemaErrors(l7(`redirectToHttps: ${value}`)), [], value);
  });

  it('one entry in place of a list', () => {
    for (const keys of [
      'access: { allow: 10.0.0.1, origins: self }',
      'access: { allow: { file: friends.txt } }',
      'limits: { key: address, connections: 5 }',
      'trustedProxies: "${PROXY}"',
      'passthrough: { serverName: a.example, cluster: app }',
    ])
      assert.deepEqual(schemaErrors(l7(keys)), [], keys);
    assert.deepEqual(schemaErrors(cluster("endpoints: 'a.example:1'")), []);
  });

  it('one value, off or false in place of a method of access', () => {
    for (const value of ['jwks.json', 'off', 'false', '{ keys: jwks.json }'])
      assert.deepEqual(schemaErrors(l7(`access: { jwt: ${value} }`)), [], value);
    for (const value of ['true', '5', '[]', '{}'])
      assert.notDeepEqual(schemaErrors(l7(`access: { jwt: ${value} }`)), [], value);
  });

  it('a match of a wildcard with one label', () => {
    for (const host of ['*.localhost', '*.com', '*.example.com'])
      assert.deepEqual(schemaErrors(routes(`{ match: '${host}', cluster: app }`)), [], host);
  });

  it('groups and settings without a value', () => {
    assert.deepEqual(schemaErrors(`${MINIMAL}log:\nadmin: { token: }\n`), []);
  });
});

describe('config/schema.json and the loader refuse', () => {
  const mistakes: Readonly<Record<string, string>> = {
    'an unknown key of the root': `${MINIMAL}workres: { l7: 1 }`,
    'an unknown key of a listener': l7('adress: ":8080"'),
    'a key of layer 7 at layer 4': MINIMAL.replace('mode: l4,', 'mode: l4, via: true,'),
    'a key of layer 4 at layer 7': l7('idleTimeout: 5s'),
    'an unknown mode': MINIMAL.replace('mode: l4', 'mode: l5'),
    'an unknown word': l7('engine: fast'),
    'a duration without a unit': l7('websocket: { idleTimeout: 5 }'),
    'a duration with an unknown unit': l7('websocket: { idleTimeout: 5 seconds }'),
    'a size that is a word': l7('websocket: { maxMessageSize: large }'),
    'a number in quotes': l7('maxConnections: "5"'),
    'a number below its range': l7('maxConnections: -1'),
    'a switch that is a word': l7('via: yes please'),
    'a text that is a number': l7('limits: [{ key: address, name: 5, connections: 1 }]'),
    'a list that is a value of another kind': l7('access: { allow: localhost }'),
    'a word in a list that the list itself may be': l7('access: { allow: [off] }'),
    'a switch in place of addresses': l7('access: { deny: true }'),
    'a list of listeners that is one listener': MINIMAL.replace('[', '').replace(']', ''),
    'an empty list': cluster('endpoints: []'),
    'a mapping that is a word': l7('http: fast'),
    'a mapping with two of its keys': l7('limits: [{ key: { header: a, cookie: b }, connections: 1 }]'),
    'a match that is neither a host nor a path': routes('{ match: chat, cluster: app }'),
    'a response that is a text': routes('{ respond: hello }'),
    'a redirect without a scheme': routes('{ redirect: www.example.com }'),
    'a cluster without a name': MINIMAL.replace('name: app, ', ''),
    'a configuration without listeners': 'log: { level: info }\n',
  };
  for (const [name, text] of Object.entries(mistakes)) {
    it(name, () => {
      assert.notDeepEqual(errorsOf(text), []);
      assert.notDeepEqual(schemaErrors(text), []);
    });
  }

  it('an unknown key in every mapping with fixed keys', () => {
    const config = plainOf(new SourceFile(WHOLE).root);
    const accepting: string[] = [];
    eachUnknownKey(config, UNKNOWN, (path) => {
      if (schemaErrorsOf(config).length === 0) accepting.push(path);
    });
    assert.deepEqual(
      accepting.filter((path) => !FREE.test(path)),
      [],
    );
    assert.ok(accepting.length > 0);
  });

  it('a missing key that the schema requires', () => {
    loadWhole();
    const config = plainOf(new SourceFile(WHOLE).root);
    eachMistake(
      config,
      () => [undefined],
      ({ path }) => {
        const isRequired = schemaErrorsOf(without(config)).some((error) =>
          error.includes('required property'),
        );
        if (isRequired) assert.notDeepEqual(errorsOf(JSON.stringify(config)), [], path);
      },
    );
  });
});

describe('the loader refuses', () => {
  it('every wrong value that config/schema.json refuses', () => {
    loadWhole();
    const config = plainOf(new SourceFile(WHOLE).root);
    // One value for every third path. The scale test tries all values at all paths.
    const choose = (number: number, right: unknown): readonly unknown[] =>
      number % 3 === 0
        ? [WRONG_VALUES[(number / 3) % WRONG_VALUES.length]]
        : otherForms(number % 9 === 1 ? right : []);
    let count = 0;
    eachMistake(config, choose, ({ name }) => {
      if (schemaErrorsOf(config).length === 0) return;
      count++;
      assert.notDeepEqual(errorsOf(JSON.stringify(config), { files: WHOLE_FILES }), [], name);
    });
    assert.ok(count > 60, `${count} values`);
  });
});

/** Returns a copy without the keys that have no value. */
function without(config: unknown): unknown {
  return JSON.parse(JSON.stringify(config)) as unknown;
}

/** Finds the configurations in config and deploy: files, and files in config maps of Kubernetes. */
function configurations(): readonly { readonly file: string; readonly text: string }[] {
  const files = ['config', 'deploy'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
  );
  return files
    .filter((file) => /\.ya?ml$/.test(file))
    .flatMap((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      const inside = /^kind: ConfigMap$/m.test(text) ? Object.values((load(text) as ConfigMap).data) : [];
      return [text, ...inside]
        .filter((each) => /^listeners:/m.test(each))
        .map((each) => ({ file, text: each }));
    });
}
