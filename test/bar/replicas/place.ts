import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FaultProxy, faultProxy } from '../../hosts/s3-fault-proxy.ts'
import { s3Server } from '../../hosts/s3-server.ts'
import { type KillableServer, startKillable } from '../killable-server.ts'

export type Context = { after(done: () => Promise<void>): void }

/** A storage that replicas share, as settings, and the variables that these name. */
export interface Place {
  readonly name: string
  readonly storage: object
  readonly environment: Readonly<Record<string, string>>
}

/** An empty folder. */
export async function folderPlace(context: Context): Promise<Place> {
  const path = await mkdtemp(join(tmpdir(), 'cargo-replicas-'))
  context.after(() => rm(path, { recursive: true, force: true, maxRetries: 3 }))
  return { name: 'folder', storage: { fs: { path } }, environment: {} }
}

/** An empty bucket in a real S3 server; `through`: the same one behind a proxy that does harm. */
export async function bucketPlace(
  context: Context,
): Promise<Place & { readonly through: Place; readonly proxy: FaultProxy }> {
  const server = await s3Server()
  const proxy = await faultProxy(server.url)
  context.after(async () => {
    await proxy.close()
    await server.close()
  })
  const { storage, environment } = server.settings()
  const behind = { s3: { ...storage.s3, endpoint: proxy.url } }
  return {
    ...{ name: 'S3', storage, environment, proxy },
    through: { name: 'S3', storage: behind, environment },
  }
}

/** Places by their names, each made when it is needed. */
export const PLACES: readonly ((context: Context) => Promise<Place>)[] = [folderPlace, bucketPlace]

/** Two replicas in a place, started at once, with further settings. */
export async function startReplicas(
  context: Context,
  { storage, environment }: Place,
  settings: object = {},
): Promise<readonly [KillableServer, KillableServer]> {
  const spec = { environment, settings: { storage, ...settings } }
  return Promise.all([startKillable(context, spec), startKillable(context, spec)])
}
