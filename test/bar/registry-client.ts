import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { type CrateFile, publishBody } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'
import type { KillableServer } from './killable-server.ts'

/** Where to ask, and as whom. */
export type RegistryAddress = Pick<KillableServer, 'url' | 'token'>

/** The status of an answer; `undefined`: the server died first, and nobody knows what it did. */
export type Outcome = number | undefined

/** Whether a change is there: all of it, nothing of it, or what is wrong with it. */
export type State = 'done' | 'undone' | { readonly problem: string }

export interface Line {
  readonly vers: string
  readonly cksum: string
  readonly yanked: boolean
}

/** Asks for a change. */
export async function send(
  server: RegistryAddress,
  method: string,
  path: string,
  body?: Uint8Array | object,
): Promise<Outcome> {
  const isBytes = body instanceof Uint8Array
  const headers = { authorization: server.token, ...(!isBytes && { 'content-type': 'application/json' }) }
  const content = body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }
  try {
    const response = await fetch(server.url() + path, { method, headers, ...content })
    await response.arrayBuffer()
    return response.status
  } catch {
    return undefined
  }
}

export function sendCrate(server: RegistryAddress, crate: CrateFile): Promise<Outcome> {
  return send(server, 'PUT', '/api/v1/crates/new', publishBody(crate))
}

/** The lines of a crate's index file, none when it has no file; or what is wrong with it. */
export async function readIndex(server: RegistryAddress, name: string): Promise<readonly Line[] | string> {
  const response = await fetch(`${server.url()}/${indexPath(name)}`)
  const text = await response.text()
  if (response.status === 404) return []
  if (response.status !== 200) return `the index is answered with ${response.status}`
  if (!text.endsWith('\n')) return 'the index is cut'
  try {
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  } catch {
    return 'a line of the index is no JSON'
  }
}

/** The status of a download, and the checksum of what came. */
export async function fetchCrate(server: RegistryAddress, name: string, version: string) {
  const response = await fetch(server.url() + downloadPath(name, version))
  return { status: response.status, cksum: sha256(Buffer.from(await response.arrayBuffer())) }
}

/** Whether a version is published: with line and file, or with neither. */
export async function publishedState(server: RegistryAddress, name: string, version: string): Promise<State> {
  const lines = await readIndex(server, name)
  if (typeof lines === 'string') return { problem: lines }
  const line = lines.find(({ vers }) => vers === version)
  const { status, cksum } = await fetchCrate(server, name, version)
  if (line === undefined)
    return status === 404 ? 'undone' : { problem: `no line, and the file is answered with ${status}` }
  if (status === 200 && cksum === line.cksum) return 'done'
  return { problem: `a line, and the file is answered with ${status}, its checksum ${cksum}` }
}

/** Whether a user owns a crate. */
export async function ownerState(server: RegistryAddress, name: string, login: string): Promise<State> {
  const response = await fetch(`${server.url()}/api/v1/crates/${name}/owners`, {
    headers: { authorization: server.token },
  })
  if (response.status !== 200) return { problem: `owners are answered with ${response.status}` }
  const { users } = (await response.json()) as { users: readonly { login: string }[] }
  return users.some((user) => user.login === login) ? 'done' : 'undone'
}
