import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { indexPath } from '../../src/protocol/name.ts'
import { redisServer } from '../hosts/redis-server.ts'
import { publishBody } from '../support/crate-file.ts'
import { serveUplink } from '../support/uplink.ts'
import { FIRST_VERSION, LARGE, newCrate, readCrate } from './crates.ts'
import { createEndings, type Endings } from './endings.ts'
import { type Nginx, startNginx, writeSite } from './nginx.ts'
import type { Pace } from './pace.ts'
import { type PacedUplink, startPacedUplink } from './paced-uplink.ts'
import { startPeer } from './peer-process.ts'
import type { Server } from './process.ts'
import { startRegistry, TOKEN } from './registry.ts'
import { type Upload, upload } from './uploads.ts'

/** Crates that are read, local ones and as many proxied ones. */
const EACH = 10

/** Everybody who is measured, with the same files. */
export interface Stage {
  readonly folder: string
  readonly registry: Server
  /** Beside the first one over the same store: watched (see `loop.ts`), and cold until it is asked. */
  readonly watched: Server & { readonly watch: string }
  readonly twoWorkers: Server
  readonly nginx: Nginx
  readonly nginxOfTwo: Nginx
  /** Bare Node. */
  readonly node: Server
  /** The same with workers of `node:cluster`; only of a whole run. */
  readonly nodeOfTwo?: Server
  readonly koa: Server
  readonly uplink: PacedUplink
  /** URL paths below the mount, of local and proxied crates in turns. */
  readonly paths: Readonly<Record<'index' | 'small' | 'large', readonly string[]>>
  readonly redis: string
  /** Of what is started beside it. */
  readonly endings: Endings
}

/** What everybody who reads sends to a registry. */
export const LOGIN = { Authorization: TOKEN }

/** Starts all servers, which `endings` end; nothing is left of them when this fails. */
export async function buildStage(pace: Pace): Promise<Stage> {
  const endings = createEndings()
  try {
    return await build(endings, pace)
  } catch (error) {
    await endings.close()
    throw error
  }
}

async function build(endings: Endings, { isWhole }: Pace): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'cargo-bench-'))
  endings.add(() => rm(folder, { recursive: true, force: true }))
  const redis = await redisServer()
  endings.add(() => redis.close())
  const [local, proxied] = ['bench', 'proxied'].map(namesFrom)
  const near = await serveUplink({ crates: cratesOf(proxied) })
  endings.add(() => near.close())
  const [uplink] = await endings.started(startPacedUplink())
  const spec = { folder, redis: redis.url, uplinks: { near: near.url, cold: uplink.index } }

  const [registry] = await endings.started(startRegistry({ ...spec, name: 'registry' }))
  await upload(cratesOf(local).map((crate) => publish(registry, publishBody(crate))))
  const paths = pathsOf(local, proxied)
  const root = await writeSite(folder, await siteOf(registry, paths))

  const watch = join(folder, 'loop')
  const [watched, twoWorkers, nginx, nginxOfTwo, node, koa] = await endings.started(
    startRegistry({ ...spec, name: 'watched', watch, prefetch: 0 }),
    startRegistry({ ...spec, name: 'workers', workers: 2 }),
    startNginx(folder, root),
    startNginx(folder, root, 2),
    startPeer('node', root),
    startPeer('koa', root, redis.url),
  )
  const [nodeOfTwo] = isWhole ? await endings.started(startPeer('node-workers', root)) : []
  return {
    ...(nodeOfTwo !== undefined && { nodeOfTwo }),
    ...{ folder, redis: redis.url, registry, watched: { ...watched, watch }, twoWorkers },
    ...{ nginx, nginxOfTwo, node, koa, uplink, paths, endings },
  }
}

/** A request that publishes. */
export function publish({ url }: Pick<Server, 'url'>, body: Buffer): Upload {
  return { url: `${url}/api/v1/crates/new`, headers: LOGIN, body: Buffer.from(body) }
}

export function downloadPath(name: string): string {
  return `/api/v1/crates/${name}/${FIRST_VERSION}/download`
}

function namesFrom(start: string) {
  return { small: Array.from({ length: EACH }, (_, i) => `${start}-crate-${i}`), large: `${start}-large` }
}

type Names = ReturnType<typeof namesFrom> | undefined

function cratesOf(names: Names) {
  return [...(names?.small ?? []).flatMap(readCrate), newCrate(names?.large ?? '', LARGE)]
}

function pathsOf(local: Names, proxied: Names): Stage['paths'] {
  const mixed = (local?.small ?? []).flatMap((name, i) => [name, proxied?.small[i] ?? ''])
  return {
    index: mixed.map((name) => `/${indexPath(name)}`),
    small: mixed.map(downloadPath),
    large: [local, proxied].map((names) => downloadPath(names?.large ?? '')),
  }
}

/** The files as the registry has them; the proxied ones are fetched and kept by that. */
async function siteOf(registry: Server, paths: Stage['paths']) {
  const files: Record<string, Uint8Array> = {}
  for (const path of Object.values(paths).flat()) {
    const response = await fetch(registry.url + path, { headers: LOGIN })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    files[path] = new Uint8Array(await response.arrayBuffer())
  }
  return { files, isPacked: (path: string) => paths.index.includes(path) }
}
