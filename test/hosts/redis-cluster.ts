import { setTimeout as sleep } from 'node:timers/promises'
import { type RedisServer, redisServer } from './redis-server.ts'

const SLOTS = 16_384

/** A real Redis cluster of a test's own: masters without replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  close(): Promise<void>
}

export async function redisCluster(size = 3): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: size }, () => redisServer(['--cluster-enabled', 'yes'])),
  )
  const [first] = nodes
  for (const [nth, node] of nodes.entries()) {
    const [from, to] = [Math.floor((nth * SLOTS) / size), Math.floor(((nth + 1) * SLOTS) / size) - 1]
    await node.command('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`)
    await first?.command('CLUSTER', 'MEET', '127.0.0.1', new URL(node.url).port)
  }
  for (const node of nodes)
    for (let tries = 0; !(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'); tries++) {
      if (tries === 400) throw new Error('the Redis cluster does not form')
      await sleep(50)
    }
  return {
    nodes,
    close: async () => void (await Promise.all(nodes.map((node) => node.close()))),
  }
}
