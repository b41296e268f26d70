import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { freePort, type Server, startProcess } from './process.ts'

/** Starts nginx, tuned as a static server, over `files` (by URL path); below `/upload/` it takes PUT. */
export async function startNginx(
  folder: string,
  files: Readonly<Record<string, Uint8Array>>,
): Promise<Server> {
  const root = join(folder, 'root')
  await mkdir(join(root, 'upload'), { recursive: true })
  for (const [path, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), bytes)
    await writeFile(join(root, `${path}.gz`), gzipSync(bytes))
  }
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  await writeFile(file, config(folder, root, port))
  const url = `http://127.0.0.1:${port}`
  const log = join(folder, 'start.log')
  return startProcess('nginx', ['-c', file, '-p', folder, '-e', log], { url })
}

function config(folder: string, root: string, port: number): string {
  // Started by root, nginx would give its workers to a user who may not read the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${user}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  gzip_static on;
  log_not_found off;
  open_file_cache max=1000 inactive=60s;
  client_max_body_size 20m;
  ${places.map((place) => `${place}_temp_path ${folder}/${place};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root ${root};
    location /upload/ { dav_methods PUT; }
  }
}
`
}
