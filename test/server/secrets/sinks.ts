import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Sink } from './canaries.ts'
import { redisCli, SECRETS, type WatchedRegistry } from './watched-registry.ts'

const UPLINK_SECRETS = [SECRETS.uplink.title, SECRETS.uplinkHeader.title]

/** What can be seen of the process while it runs, beside what it was given in its environment. */
export function processSinks({ pid }: WatchedRegistry): readonly Sink[] {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'latin1')
  const children = readdirSync(`/proc/${pid}/task`).flatMap((id) =>
    read(`task/${id}/children`)
      .split(' ')
      .filter((child) => child !== ''),
  )
  const unnamed = readdirSync(`/proc/${pid}/fd`).filter((fd) =>
    readlinkSync(`/proc/${pid}/fd/${fd}`).endsWith(' (deleted)'),
  )
  return [
    { title: 'the command line', text: read('cmdline') },
    ...children.map((child) => ({
      title: `a child, ${readFileSync(`/proc/${child}/cmdline`, 'latin1')}`,
      text:
        readFileSync(`/proc/${child}/environ`, 'latin1') + readFileSync(`/proc/${child}/cmdline`, 'latin1'),
    })),
    ...unnamed.map((fd) => ({ title: `the unnamed file ${fd}`, text: read(`fd/${fd}`) })),
  ]
}

/** Every file: what is stored, what is temporary, and the log. */
export function fileSinks({ folder }: WatchedRegistry): readonly Sink[] {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((it) => it.isFile())
  return files
    .map((it) => join(it.parentPath, it.name))
    .filter((path) => !['config.yaml', 'htpasswd'].includes(path.slice(folder.length + 1)))
    .map((path) => ({
      title: `the file ${path.slice(folder.length + 1)}`,
      text: path + readFileSync(path, 'latin1'),
    }))
    .flatMap((sink) => [sink, { ...sink, text: sink.text.slice(sink.text.indexOf('\u001f\u008b')) }])
}

/** Every key and value in Redis, and everything that was asked of it. */
export async function redisSinks({ redis, monitored }: WatchedRegistry): Promise<readonly Sink[]> {
  const run = async (...args: readonly string[]) => {
    const cli = redisCli(redis, ...args)
    return (await promisify(execFile)('redis-cli', cli.args, cli.options)).stdout
  }
  const keys = (await run('--scan')).split('\n').filter((key) => key !== '')
  const sinks: Sink[] = [{ title: 'what Redis was asked', text: monitored() }]
  for (const key of keys) {
    const value = (await run('TYPE', key)).includes('string')
      ? await run('--raw', 'GET', key)
      : await run('DUMP', key)
    sinks.push({ title: `the key ${key} in Redis`, text: `${key} ${value}` })
  }
  return sinks
}

/** What others were sent. */
export function outwardSinks({ uplink, elsewhere, hooked }: WatchedRegistry): readonly Sink[] {
  return [
    { title: 'the uplink', text: JSON.stringify(uplink.requests), mayHave: UPLINK_SECRETS },
    { title: 'another server', text: JSON.stringify(elsewhere.requests) },
    { title: 'the webhook', text: hooked.join('\n'), mayHave: [SECRETS.webhookHeader.title] },
  ]
}
