/** nginx as a party that we did not write, where the machine has it. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerProcess, launch } from './peer-process.ts';

/** Debian keeps the stream module apart (libnginx-mod-stream). */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Returns the version, such as 1.22.1; null if nginx is not installed. */
export function nginxVersion(): string | null {
  const { error, stderr } = spawnSync('nginx', ['-v'], { encoding: 'utf8' });
  return error === undefined ? (/nginx\/(\S+)/.exec(stderr)?.[1] ?? null) : null;
}

/** Returns true if nginx is installed with its stream module. */
export function hasNginxStream(): boolean {
  const { error, stderr } = spawnSync('nginx', ['-V'], { encoding: 'utf8' });
  return error === undefined && (existsSync(STREAM_MODULE) || /--with-stream(?![=_])/.test(stderr));
}

/** One process without a master. */
export class Nginx extends PeerProcess {
  /** @param http the inside of its http block, for the address that it is to listen on */
  static start(http: (listen: string) => string): Promise<Nginx> {
    return startNginx((address, directory) => {
      const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory}/${name};`)
        .join('\n');
      return `http {
access_log off;
${temporary}
${http(address)}
}`;
    });
  }

  /** @param stream the inside of its stream block, for the address that it is to listen on */
  static startStream(stream: (listen: string) => string): Promise<Nginx> {
    const load = existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};\n` : '';
    return startNginx((address) => `stream {\n${stream(address)}\n}`, load);
  }
}

async function startNginx(block: (address: string, directory: string) => string, first = ''): Promise<Nginx> {
  const launched = await launch('nginx', (directory, address) => {
    const config = join(directory, 'nginx.conf');
    writeFileSync(
      config,
      `${first}daemon off; master_process off; worker_processes 1;
pid ${directory}/pid;
events { worker_connections 1024; }
${block(address, directory)}
`,
    );
    return ['-e', `${directory}/errors`, '-c', config];
  });
  return new Nginx(launched);
}
