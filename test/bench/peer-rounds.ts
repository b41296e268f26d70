import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { indexPath } from '../../src/protocol/name.ts'
import { encodePublishBody } from '../../src/protocol/publish-body.ts'
import { publishBody } from '../support/crate-file.ts'
import type { GeneratedWorkspace } from '../support/generated-workspace.ts'
import { fetchCold } from './cargo-fetch.ts'
import { newCrate, readCrate } from './crates.ts'
import { check, load, type Target } from './load.ts'
import type { OtherServer } from './other-registry.ts'
import { downloadPath } from './stage.ts'
import { upload } from './uploads.ts'

/** What is measured of a registry. */
export const MEASURES = [
  'index, 30 KB: req/s',
  'index, 304: req/s',
  '.crate, 60 KB: req/s',
  'publish of 60 KB: 1/s',
  'cold cargo fetch: s',
  'warm cargo fetch: s',
] as const

export type Measure = (typeof MEASURES)[number]

/** A registry that is measured. */
export interface Contestant {
  readonly name: string
  /** Of each measure by round, or why there is none. */
  readonly results: Map<Measure, number[] | string>
  /** Starts it anew, with nothing in it. */
  start(folder: string): Promise<OtherServer>
}

/** How long and how much. */
export interface RoundSpec {
  readonly folder: string
  readonly workspace: GeneratedWorkspace
  readonly loadMs: number
  readonly publishes: number
}

const NAME = 'bench-crate'

/** One round of everything, from an empty registry on. */
export async function measureRound({ start, results }: Contestant, spec: RoundSpec): Promise<void> {
  const server = await start(await mkdtemp(join(spec.folder, 'peer-')))
  const measure = async (what: Measure, take: () => Promise<number>) => {
    const so = results.get(what) ?? []
    if (typeof so === 'string') return
    await take().then(
      (value) => results.set(what, [...so, value]),
      (error: unknown) => results.set(what, reasonOf(error)),
    )
  }
  const publish = (bodies: readonly Buffer[]) =>
    upload(
      bodies.map((body) => ({
        url: `${server.api}/api/v1/crates/new`,
        headers: server.headers,
        body: Buffer.from(body),
      })),
    )
  try {
    const news = Array.from({ length: spec.publishes }, (_, i) => publishBody(newCrate(`bench-new-${i}`)))
    await measure('publish of 60 KB: 1/s', () => publish(news))
    for (const crate of readCrate(NAME)) await publish([publishBody(crate)]).catch(() => {})
    for (const [what, target] of Object.entries(targets(server)) as [Measure, () => Promise<Target>][])
      await measure(what, async () => {
        const ready = await target()
        await check(ready)
        // It counts for nothing: a server gets faster at first.
        await load(ready, spec.loadMs)
        return (await load(ready, spec.loadMs)).rate
      })
    await fetches(server, spec, measure, publish)
  } finally {
    await server.stop()
  }
}

function targets(server: OtherServer): Partial<Record<Measure, () => Promise<Target>>> {
  const { headers } = server
  const path = `/${indexPath(NAME)}`
  return {
    'index, 30 KB: req/s': async () => ({ server, status: 200, requests: [{ path, headers }] }),
    'index, 304: req/s': async () => {
      const response = await fetch(server.url + path, {
        headers: { ...headers, 'Accept-Encoding': 'identity' },
      })
      await response.arrayBuffer()
      const [tag, modified] = ['etag', 'last-modified'].map((name) => response.headers.get(name))
      if (!tag && !modified) throw new Error('its index files have no ETag and no Last-Modified')
      const condition = tag ? ['If-None-Match', tag] : ['If-Modified-Since', modified ?? '']
      return {
        server,
        status: 304,
        requests: [{ path, headers: { ...headers, ...Object.fromEntries([condition]) } }],
      }
    },
    '.crate, 60 KB: req/s': async () => ({
      server: { ...server, url: server.api },
      ...{ status: 200, requests: [{ path: downloadPath(NAME), headers }] },
    }),
  }
}

/** By a cargo that has seen nothing: through the registry from the uplink, and then once more. */
async function fetches(
  server: OtherServer,
  { workspace }: RoundSpec,
  measure: (what: Measure, take: () => Promise<number>) => Promise<void>,
  publish: (bodies: readonly Buffer[]) => Promise<number>,
): Promise<void> {
  const index = `sparse+${server.proxied ?? server.url}/`
  const [token] = Object.values(server.headers)
  const home = {
    registries: { ours: index },
    config: { source: { 'crates-io': { 'replace-with': 'ours' } } },
    ...(token !== undefined && { tokens: { ours: token } }),
  }
  const fetchOnce = async () => (await fetchCold(workspace.manifest, home)).seconds
  await measure('cold cargo fetch: s', async () => {
    if (server.proxied === undefined) throw new Error('it proxies nothing')
    return fetchOnce()
  })
  await measure('warm cargo fetch: s', async () => {
    if (server.proxied === undefined) await publish(bodiesOf(workspace))
    return fetchOnce()
  })
}

/** For those who proxy nothing: the same crates, published. */
function bodiesOf({ crates }: GeneratedWorkspace): readonly Buffer[] {
  return crates.map(({ line, bytes = Buffer.alloc(0) }) => {
    const { name, vers, deps, features, features2 } = JSON.parse(line)
    const metadata = {
      ...{ name, vers, features: { ...features, ...features2 }, authors: [], license: 'MIT' },
      ...{ description: name, keywords: [], categories: [], badges: {} },
      deps: deps.map(({ name: alias, package: real, req, ...rest }: Record<string, unknown>) => ({
        ...rest,
        ...{
          name: real ?? alias,
          version_req: req,
          registry: 'https://github.com/rust-lang/crates.io-index',
        },
        ...(real !== undefined && { explicit_name_in_toml: alias }),
      })),
    }
    return Buffer.from(encodePublishBody(metadata, bytes))
  })
}

/** The line that says most. */
export function reasonOf(error: unknown): string {
  const { message, stderr = '' } = error as { message: string; stderr?: string }
  const lines = `${stderr}\n${message}`.split('\n').map((line) => line.trim())
  const line = lines.find((text) => /^error|: 403|Error/.test(text)) ?? lines.find(Boolean) ?? message
  return line.replaceAll('|', '/').slice(0, 160)
}
