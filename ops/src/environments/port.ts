import { createServer } from 'node:net'

/** Whether a server could listen there now. `localhost` means both of its addresses. */
export async function canListen(host: string, port: number): Promise<boolean> {
  const addresses = host === 'localhost' ? ['127.0.0.1', '::1'] : [host]
  const answers = await Promise.all(addresses.map((address) => canListenOn(address, port)))
  return answers.every((answer) => answer)
}

function canListenOn(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      // A machine without IPv6 has no ::1 that could be taken.
      resolve(host === '::1' && (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT'))
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}
