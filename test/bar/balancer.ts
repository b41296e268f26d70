import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeCertificate } from '../support/certificate.ts'
import { freePort } from '../support/free-port.ts'

const TEMPLATE = join(import.meta.dirname, '..', '..', 'examples', 'cluster', 'cluster.conf.template')

/** nginx with TLS and HTTP/2 in front of two replicas, as `examples/cluster` has it. */
export interface Balancer {
  /** The registry's URL, without a final slash. */
  readonly url: string
  readonly ca: Buffer
}

export async function startBalancer(
  context: { after(done: () => Promise<void>): void },
  [a, b]: readonly number[],
): Promise<Balancer> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-nginx-'))
  const { cert, certFile, keyFile } = await makeCertificate(folder)
  const port = await freePort()
  const values: Readonly<Record<string, string>> = {
    ...{ REPLICA_A: `127.0.0.1:${a}`, REPLICA_B: `127.0.0.1:${b}`, HTTPS_PORT: `127.0.0.1:${port}` },
    ...{ TLS_CERT: certFile, TLS_KEY: keyFile },
  }
  const template = await readFile(TEMPLATE, 'utf8')
  // All clients of a test have one address.
  const spread = template.replace(/^ *hash .*\n/m, '')
  const server = spread.replaceAll(/\$\{(\w+)\}/g, (whole, name) => values[name] ?? whole)
  await writeFile(join(folder, 'nginx.conf'), frame(folder, server))
  const child = spawn('nginx', ['-e', join(folder, 'log'), '-p', folder, '-c', join(folder, 'nginx.conf')], {
    stdio: 'ignore',
  })
  const ended = once(child, 'exit')
  context.after(async () => {
    child.kill('SIGTERM')
    await ended
    await rm(folder, { recursive: true, force: true })
  })
  const origin = `https://127.0.0.1:${port}`
  while (!(await answers(origin, cert))) {
    if (child.exitCode !== null) throw new Error(await readFile(join(folder, 'log'), 'utf8'))
    await sleep(50)
  }
  return { url: `${origin}/cargo`, ca: cert }
}

function frame(folder: string, server: string): string {
  // Started by root, nginx would give its workers to a user who may not read the temporary folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${user}
daemon off;
pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  ${places.map((place) => `${place}_temp_path ${folder}/${place};`).join('\n  ')}
  ${server}
}
`
}

function answers(origin: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    request(origin, { ca, agent: false }, (response) => {
      response.resume()
      resolve(true)
    })
      .on('error', () => resolve(false))
      .end()
  })
}
