import assert from 'node:assert/strict'
import type { MetadataCache } from '../../src/host.ts'
import type { OptionsInput } from '../../src/options.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { type Answer, type App, type AppSpec, startApp } from '../support/app.ts'
import { startUplink, type Uplink, type UplinkSpec } from '../support/uplink.ts'

type Context = Parameters<typeof startApp>[0]
export type UplinkOptionsInput = NonNullable<OptionsInput['uplinks']>[string]

export interface Proxy {
  readonly app: App
  readonly uplink: Uplink
  /** Asks the app for an index file. */
  index(name: string, headers?: Readonly<Record<string, string>>): Promise<Answer>
}

export interface ProxySpec extends AppSpec {
  readonly uplink?: UplinkSpec
  /** How the app treats the uplink; by default every request asks, and nothing is fetched ahead. */
  readonly up?: Partial<UplinkOptionsInput>
}

/** An app with one uplink, `up`, that everything comes from. */
export async function startProxy(
  context: Context,
  { uplink: spec, up, options, host }: ProxySpec = {},
): Promise<Proxy> {
  const uplink = await startUplink(context, spec)
  const app = await startApp(context, {
    options: { prefetch: 0, uplinks: { up: uplinkOptions(uplink, up) }, ...options },
    ...(host && { host }),
  })
  return { app, uplink, index: (name, headers) => indexOf(app, name, headers) }
}

/** Every request asks, and no failure stops that. */
export function uplinkOptions(
  { url }: Pick<Uplink, 'url'>,
  more: Partial<UplinkOptionsInput> = {},
): UplinkOptionsInput {
  return { url, maxage: 0, max_fails: 0, ...more }
}

export function indexOf(
  app: App,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return app.request(`/${indexPath(name)}`, { headers })
}

/** The index file as the uplink has it. */
export function bodyAt(uplink: Uplink, name: string): string {
  const lines = [...uplink.versions()].filter((it) => it.name === name).map(({ line }) => `${line}\n`)
  return lines.join('')
}

/** The versions in an index file, with `!` where they are yanked. */
export function versionsIn({ text }: Pick<Answer, 'text'>): readonly string[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .map(({ vers, yanked }) => (yanked ? `${vers}!` : vers))
}

/** The one error that an answer tells of. */
export function detailOf({ body }: Pick<Answer, 'body'>): string {
  return (body as { errors: [{ detail: string }] }).errors[0].detail
}

/** The alarms that an app raised: as events, in its log, and as a metric; all three must agree. */
export async function alarmsOf(app: App): Promise<readonly string[]> {
  const events = app.events
    .filter(({ kind }) => kind === 'integrity')
    .map(({ detail }) => detail?.['conflict'])
  const logged = app.errors.filter(({ message }) => message.startsWith('integrity:'))
  const metric = await app.metrics.getSingleMetric('cargo_integrity_conflicts_total')?.get()
  const counted = metric?.values.reduce((sum, { value }) => sum + value, 0)
  assert.deepEqual([logged.length, counted], [events.length, events.length])
  return events.map(String)
}

/** A cache that stores nothing and locks, and that several apps can share; locks can be lost. */
export function lockingCache(): MetadataCache & { readonly held: Set<string> } {
  const held = new Set<string>()
  return {
    held,
    get: async () => undefined,
    set: async () => true,
    delete: async () => true,
    async lock(key, ttlMs) {
      if (held.has(key)) return undefined
      held.add(key)
      const timer = setTimeout(() => held.delete(key), ttlMs).unref()
      return async () => {
        clearTimeout(timer)
        held.delete(key)
      }
    },
  }
}
