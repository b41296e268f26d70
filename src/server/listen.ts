/** Where the server listens. */
export interface ListenAddress {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Every address of the machine, so nothing that a client could connect to. */
  readonly wildcard: boolean
}

/** Reads `HOST:PORT`, where an IPv6 host is in brackets; `undefined` when it is not one. */
export function parseListen(text: string): ListenAddress | undefined {
  const [, v6, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]/\s]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = v6 ?? name
  const port = Number(digits)
  if (host === undefined || port > 65_535) return undefined
  return { host, port, wildcard: /^[0:.]+$/.test(host) }
}

/** The inverse of `parseListen()`. */
export function renderListen({ host, port }: Pick<ListenAddress, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
