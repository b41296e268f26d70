import assert from 'node:assert/strict'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import Koa from 'koa'
import { Registry as PromRegistry } from 'prom-client'
import type { Host } from '../../../src/host.ts'
import type { OptionsInput } from '../../../src/options.ts'
import { type CargoPlugin, cargo } from '../../../src/plugin.ts'
import type { ServerVisit } from '../../../src/server/visit.ts'
import { frontOf } from '../../support/front.ts'

/** A request for both. */
export interface Asked {
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

interface Got {
  readonly status: number | undefined
  /** `name: value` in alphabetical order; what differs with the time has none. */
  readonly head: readonly string[]
  readonly body: string
}

/** A registry behind one of the routes. */
export interface Side {
  readonly url: string
  readonly metrics: PromRegistry
  /** Whether the last answer went past the router. */
  wasFast(): boolean
  /** How many requests have come, and how many of the answers that have ended went past the router. */
  counts(): { readonly asked: number; readonly fast: number }
  ask(asked: Asked): Promise<Got>
}

type Context = { after(done: () => Promise<void>): void }

/** Whether what is in memory goes past the router, or past Koa. */
export type Way = 'router' | 'koa' | 'neither'

export interface SideSpec {
  readonly host: Host
  readonly options: OptionsInput
  readonly past: Way
}

/** A registry of which some answers go past something. */
export async function startSide(context: Context, { host, options, past: way }: SideSpec): Promise<Side> {
  const metrics = new PromRegistry()
  const plugin: CargoPlugin = cargo({ ...host, metrics }, { ...options, fast_path: way !== 'neither' })
  const koa = new Koa()
  let [past, asked, fast] = [false, 0, 0]
  const note = (isPast: boolean) => {
    past = isPast
    if (isPast) fast += 1
  }
  koa.silent = true
  koa.use(async (ctx, next) => {
    await next()
    if (way !== 'koa') note(ctx.respond === false)
  })
  koa.use(plugin)
  const onVisit = (visit: ServerVisit) => {
    // What is left to node:http is asked about again.
    if (visit.before === undefined) asked += 1
    visit.res.on('close', () => note(visit.ctx === undefined))
  }
  const answer = koa.callback()
  const server =
    way === 'koa'
      ? frontOf(koa, plugin, onVisit).server
      : createServer((req, res) => {
          asked += 1
          void answer(req, res)
        })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/cargo`
  context.after(async () => {
    server.closeAllConnections()
    server.close()
    await plugin.close()
  })
  return {
    url,
    metrics,
    wasFast: () => past,
    counts: () => ({ asked, fast }),
    ask: (asked) => ask(url, asked),
  }
}

function ask(url: string, { path, method = 'GET', headers = {} }: Asked): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { method, headers }, async (response) => {
      const body = (await buffer(response)).toString('latin1').replaceAll(url, 'BASE')
      resolve({ status: response.statusCode, head: headOf(response.rawHeaders), body })
    })
    sent.on('error', reject)
    sent.end()
  })
}

function headOf(raw: readonly string[]): string[] {
  const lines: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const [name = '', value = ''] = raw.slice(i)
    // The front's own.
    if (/^x-request-id$/i.test(name)) continue
    if (/^(date|age)$/i.test(name)) lines.push(name)
    else lines.push(`${name}: ${value.replace(/(fwd=miss; stored|hit); ttl=\d+/, 'ttl=')}`)
  }
  return lines.sort()
}

/** The sums of a counter by its labels. */
export async function counted({ metrics }: Side, name: string): Promise<Readonly<Record<string, number>>> {
  const metric = await metrics.getSingleMetric(name)?.get()
  assert.ok(metric, name)
  return Object.fromEntries(metric.values.map(({ labels, value }) => [JSON.stringify(labels), value]))
}
