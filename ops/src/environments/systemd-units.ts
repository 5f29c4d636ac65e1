export type UnitFile = { name: string; text: string }

/**
 * One unit for the ops process and one for the keeper of each environment. Stopping a keeper's unit stops its environment
 * in order; a keeper that is killed is started again and adopts what runs (KillMode=process leaves it alone).
 */
export function systemdUnits(options: {
  hostDir: string
  checkout: string
  node: string
  environments: readonly string[]
  user: string | null
  keeperMain: string
  /** Entry of the command line; a keeper starts it for a deployment that lost its process. */
  commandMain: string
  opsMain: string
}): UnitFile[] {
  const { hostDir, checkout, node, user } = options
  const unit = (description: string, args: readonly string[], service: readonly string[]): string =>
    [
      '[Unit]',
      `Description=${description}`,
      'After=network.target',
      'StartLimitIntervalSec=0',
      '',
      '[Service]',
      'Type=exec',
      `WorkingDirectory=${unitPath(checkout)}`,
      `Environment="DAM_HOST_DIR=${quoted(hostDir)}"`,
      `ExecStart=${[node, ...args].map((word) => `"${quoted(word).replaceAll('$', '$$$$')}"`).join(' ')}`,
      ...(user ? [`User=${user}`] : []),
      'Restart=always',
      'RestartSec=1',
      ...service,
      'NoNewPrivileges=yes',
      '',
      '[Install]',
      'WantedBy=multi-user.target',
      '',
    ].join('\n')
  return [
    {
      name: 'dam-ops.service',
      text: unit('DAM operations: console, alerts, backups', [options.opsMain, hostDir], ['TimeoutStopSec=30']),
    },
    ...options.environments.map((name) => ({
      name: `dam-keeper-${name}.service`,
      text: unit(
        `DAM ${name}`,
        [options.keeperMain, hostDir, name, '--deployer', options.commandMain],
        ['KillMode=process', 'SendSIGKILL=no', 'TimeoutStopSec=120', 'OOMPolicy=continue', 'LimitNOFILE=65536'],
      ),
    })),
  ]
}

// systemd expands % everywhere and, in the words of a command, $.
const quoted = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')
const unitPath = (text: string): string => text.replaceAll('%', '%%')
