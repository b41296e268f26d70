import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ObjectStore } from '../../../src/host.ts'
import { fsStorage } from '../../../src/hosts/fs.ts'
import { s3Storage } from '../../../src/hosts/s3.ts'
import { redisServer } from '../../hosts/redis-server.ts'
import { type FaultProxy, faultProxy } from '../../hosts/s3-fault-proxy.ts'
import { s3Server } from '../../hosts/s3-server.ts'
import { type KillableServer, type KillableSpec, startKillable } from '../killable-server.ts'

export type Context = { after(done: () => Promise<void>): void }

/** What replicas share. */
export interface Place {
  readonly name: string
  /** As settings, and the variables that these name. */
  readonly storage: object
  readonly environment: Readonly<Record<string, string>>
  /** The URL of a cache; absent: each has its own. */
  readonly redis?: string
  /** The same storage, for whoever looks or does harm beside the replicas. */
  open(): Promise<ObjectStore>
}

/** An empty folder, in `parent`. */
export async function folderPlace(context: Context, parent = tmpdir()): Promise<Place> {
  const path = await mkdtemp(join(parent, 'cargo-replicas-'))
  context.after(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
  const storage = { fs: { path } }
  return { name: 'folder', storage, environment: {}, open: async () => fsStorage(path) }
}

/** An empty bucket in a real S3 server, whose folder is in `parent`; `through`: the same one behind a proxy that does harm. */
export async function bucketPlace(
  context: Context,
  parent?: string,
): Promise<Place & { readonly through: Pick<Place, 'storage'>; readonly proxy: FaultProxy }> {
  const server = await s3Server(parent)
  const proxy = await faultProxy(server.url)
  context.after(async () => {
    await proxy.close()
    await server.close()
  })
  const { storage, environment } = server.settings()
  const { prefix } = storage.s3
  return {
    ...{ name: 'S3', storage, environment, proxy },
    through: { storage: { s3: { ...storage.s3, endpoint: proxy.url } } },
    async open() {
      const store = await s3Storage({ ...server.options(), prefix })
      context.after(() => store.close())
      return store
    },
  }
}

/** Places by their names, each made when it is needed. */
export const PLACES = { folder: folderPlace, s3: bucketPlace } as const

/** The place with a real Redis. */
export async function withRedis<P extends Place>(
  context: Context,
  place: P,
): Promise<P & { readonly redis: string }> {
  const redis = await redisServer()
  context.after(() => redis.close())
  return { ...place, redis: redis.url }
}

/** Two replicas in a place, started at once, with further settings. */
export async function startReplicas(
  context: Context,
  place: Place,
  settings: object = {},
): Promise<readonly [KillableServer, KillableServer]> {
  return Promise.all([startReplica(context, place, settings), startReplica(context, place, settings)])
}

export function startReplica(
  context: Context,
  { storage, environment, redis }: Place,
  settings: object = {},
  more: Pick<KillableSpec, 'threads'> = {},
): Promise<KillableServer> {
  const shared = { storage, ...(redis !== undefined && { redis }) }
  return startKillable(context, { ...more, environment, settings: { ...shared, ...settings } })
}
