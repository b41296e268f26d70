import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { freePort, type Server, startProcess } from './process.ts'

/** What nginx serves, below one folder. */
export interface Site {
  /** By URL path. */
  readonly files: Readonly<Record<string, Uint8Array>>
  /** Whether a file has a packed form beside it. */
  isPacked(path: string): boolean
}

/** One nginx, at two addresses. */
export interface Nginx extends Server {
  /** The same files, packed when they are asked for. */
  readonly onTheFly: Server
}

/** Writes what `startNginx()` serves; the folder. */
export async function writeSite(folder: string, { files, isPacked }: Site): Promise<string> {
  const root = join(folder, 'root')
  await mkdir(join(root, 'upload'), { recursive: true })
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), bytes)
    if (isPacked(path)) await writeFile(join(root, `${path}.gz`), gzipSync(bytes))
  }
  return root
}

/** Starts nginx, tuned as a static server, over a folder; below `/upload/` it takes PUT. */
export async function startNginx(folder: string, root: string, workers = 1): Promise<Nginx> {
  const own = join(folder, `nginx-${workers}`)
  await mkdir(own, { recursive: true })
  const [port, otherPort] = [await freePort(), await freePort()]
  const file = join(own, 'nginx.conf')
  await writeFile(file, config(own, root, { workers, port, otherPort }))
  const log = join(own, 'start.log')
  const url = `http://127.0.0.1:${port}`
  const server = await startProcess('nginx', ['-c', file, '-p', own, '-e', log], { url })
  return { ...server, onTheFly: { ...server, url: `http://127.0.0.1:${otherPort}` } }
}

interface Settings {
  readonly workers: number
  readonly port: number
  readonly otherPort: number
}

function config(own: string, root: string, { workers, port, otherPort }: Settings): string {
  // Started by root, nginx would give its workers to a user who may not read the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${user}
daemon off;
worker_processes ${workers};
pid ${own}/nginx.pid;
error_log ${own}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  log_not_found off;
  open_file_cache max=1000 inactive=60s;
  client_max_body_size 20m;
  ${places.map((place) => `${place}_temp_path ${own}/${place};`).join('\n  ')}
  root ${root};
  server {
    listen 127.0.0.1:${port} reuseport;
    gzip_static on;
    location = /config.json { return 200 '{"dl":"http://$http_host/api/v1/crates"}'; }
    location /upload/ { dav_methods PUT; }
  }
  server {
    listen 127.0.0.1:${otherPort};
    gzip on;
    gzip_types *;
    gzip_comp_level 6;
  }
}
`
}
