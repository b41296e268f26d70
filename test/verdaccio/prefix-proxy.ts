import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, temporaryFolder } from '../support/cargo.ts'

export interface PrefixProxySpec {
  readonly port: number
  /** With slashes around it. */
  readonly prefix: string
  /** Where requests go, without the prefix. */
  readonly target: string
}

/** Starts an nginx as it stands in front of a Verdaccio with a `url_prefix`; it is ended with the test. */
export async function startPrefixProxy(context: Context, spec: PrefixProxySpec): Promise<void> {
  const folder = await temporaryFolder(context)
  const [file, log] = [join(folder, 'nginx.conf'), join(folder, 'log')]
  await writeFile(file, configOf(folder, spec))
  const child = spawn('nginx', ['-e', log, '-p', folder, '-c', file], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  context.after(async () => {
    child.kill('SIGTERM')
    await ended
  })
  while (!(await answers(`http://127.0.0.1:${spec.port}/`))) {
    if (child.exitCode !== null) throw new Error(await readFile(log, 'utf8'))
    await sleep(20)
  }
}

function configOf(folder: string, { port, prefix, target }: PrefixProxySpec): string {
  // Started by root, nginx would give its workers to a user who may not read the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${user}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  ${places.map((place) => `${place}_temp_path ${folder}/${place};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    location ${prefix} {
      proxy_pass ${target}/;
      proxy_set_header Host $http_host;
    }
    location / { return 404; }
  }
}
`
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  )
}
