import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { type CrateFile, publishBody } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** Requests to a registry, as somebody or nobody. */
export interface Client {
  ask(path: string, request?: RequestInit): Promise<Answer>
  /** The status of a publish. */
  publish(crate: CrateFile): Promise<number>
  /** The versions in the index and their checksums; `undefined` when there is no such file. */
  versions(name: string): Promise<ReadonlyMap<string, string> | undefined>
  /** The checksum of what is downloaded; `undefined` when that is nothing. */
  download(name: string, version: string): Promise<string | undefined>
}

/** A client of the registry at `url`; `token` is sent bare, as cargo does. */
export function clientOf(url: string, token?: string): Client {
  const authorization = token === undefined ? {} : { authorization: token }

  async function ask(path: string, request: RequestInit = {}): Promise<Answer> {
    const headers = { ...authorization, ...request.headers }
    const response = await fetch(url + path, { ...request, headers })
    return { status: response.status, headers: response.headers, text: await response.text() }
  }

  return {
    ask,
    publish: async (crate) =>
      (await ask('/api/v1/crates/new', { method: 'PUT', body: publishBody(crate) })).status,
    async versions(name) {
      const { status, text } = await ask(`/${indexPath(name)}`)
      if (status === 404) return undefined
      if (status !== 200) throw new Error(`the index of ${name} is answered with ${status}: ${text}`)
      const lines = text.trimEnd().split('\n')
      return new Map(lines.map((line) => JSON.parse(line)).map(({ vers, cksum }) => [vers, cksum]))
    },
    async download(name, version) {
      const response = await fetch(url + downloadPath(name, version), { headers: authorization })
      const bytes = Buffer.from(await response.arrayBuffer())
      return response.status === 200 ? sha256(bytes) : undefined
    },
  }
}
