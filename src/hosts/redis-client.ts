import { createClient, createCluster, type RedisClientType, type RedisClusterType } from '@keyv/redis'

/** Where Redis is: a `redis:` or `rediss:` URL, or those of some nodes of a cluster. */
export type RedisAddress = string | readonly string[]

/** Nothing here keeps a command waiting in memory while Redis is away: it fails. */
const CLIENT = {
  disableOfflineQueue: true,
  // Pings keep an idle connection from `socketTimeout`, which ends one where nothing moves any more: then what waits
  // for an answer fails, and gives its place among the calls in flight back.
  pingInterval: 5_000,
} as const
const SOCKET = {
  connectTimeout: 2_000,
  socketTimeout: 10_000,
  reconnectStrategy: pauseAfter,
} as const

/** A connection to Redis, or one to each node of a cluster; it is made at once, and again whenever it is lost. */
export interface RedisConnection {
  readonly client: RedisClientType | RedisClusterType
  /** Ends with the first success or failure to connect. */
  readonly tried: Promise<void>
  isReady(): boolean
  /** Sets a key that does not exist; whether it did. */
  setIfAbsent(key: string, value: string, ttlMs: number): Promise<boolean>
  run(script: string, key: string, argument: string): Promise<void>
  close(): void
}

/** @throws {Error} for another URL; does not repeat it, since it may hold a password */
export function connectRedis(address: RedisAddress): RedisConnection {
  const urls = [address].flat().map(readUrl)
  const [first] = urls
  if (first === undefined) throw new Error('invalid redis url: there is none')
  return typeof address === 'string' ? connectServer(address) : connectCluster(first, urls)
}

function connectServer(url: string): RedisConnection {
  const client: RedisClientType = createClient({ url, ...CLIENT, socket: SOCKET })
  // An `error` event without a listener ends the process; every failing call reports its own error.
  client.on('error', () => undefined)
  const tried = new Promise<void>((resolve) => {
    client.once('ready', () => resolve())
    client.once('error', () => resolve())
    client.connect().then(
      () => resolve(),
      () => resolve(),
    )
  })
  return {
    client,
    tried,
    isReady: () => client.isReady,
    ...commandsOf(client),
    close: () => client.isOpen && client.destroy(),
  }
}

function connectCluster(first: URL, urls: readonly URL[]): RedisConnection {
  const tls = first.protocol === 'rediss:'
  const client: RedisClusterType = createCluster({
    rootNodes: urls.map(({ href }) => ({ url: href })),
    // The other nodes tell no more than where they are.
    defaults: {
      ...CLIENT,
      ...(first.username !== '' && { username: decodeURIComponent(first.username) }),
      ...(first.password !== '' && { password: decodeURIComponent(first.password) }),
      socket: { ...SOCKET, ...(tls && { tls }) },
    },
  })
  client.on('error', () => undefined)
  let state: 'connecting' | 'ready' | 'closed' = 'connecting'
  const isClosed = () => state === 'closed'
  /** The client does not try again by itself when none of the nodes answers. */
  async function connect(retries = 0): Promise<void> {
    const isConnected = await client.connect().then(
      () => true,
      () => false,
    )
    if (isClosed()) {
      if (client.isOpen) client.destroy()
    } else if (isConnected) state = 'ready'
    else setTimeout(() => isClosed() || void connect(retries + 1), pauseAfter(retries)).unref()
  }
  return {
    client,
    tried: connect(),
    isReady: () => state === 'ready',
    ...commandsOf(client),
    close() {
      if (state === 'ready') client.destroy()
      state = 'closed'
    },
  }
}

function commandsOf(
  client: RedisClientType | RedisClusterType,
): Pick<RedisConnection, 'setIfAbsent' | 'run'> {
  return {
    async setIfAbsent(key, value, ttlMs) {
      const expiration = { type: 'PX', value: ttlMs } as const
      return (await client.set(key, value, { condition: 'NX', expiration })) !== null
    },
    async run(script, key, argument) {
      await client.eval(script, { keys: [key], arguments: [argument] })
    },
  }
}

function readUrl(url: string): URL {
  if (URL.canParse(url) && /^rediss?:\/\//i.test(url)) return new URL(url)
  throw new Error('invalid redis url: must be like `redis://[[user]:password@]host[:port][/database]`')
}

/** Milliseconds before the next try to connect. */
function pauseAfter(retries: number): number {
  return Math.min(50 * 2 ** Math.min(retries, 6), 2_000)
}
