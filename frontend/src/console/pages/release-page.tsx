import type { ReleaseDetail } from '@dam/contract/ops-types'
import { plural, t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { formatBytes, formatCount, formatDateTime } from '../../lib/format.ts'
import { Panel } from '../../ui/panel.tsx'
import { read } from '../lib/api.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { DeploymentRows } from '../parts/deployment-rows.tsx'
import { Fact, Facts, Hash } from '../parts/facts.tsx'
import plain from '../parts/plain-list.module.css'
import { Status } from '../parts/status.tsx'
import { verdictWords } from '../parts/words.ts'
import type { PageProps } from '../routes.ts'

export default function ReleasePage({ params }: PageProps): ReactNode {
  const release = useQuery(read('releases', 'getRelease', { params: { digest: params['digest'] ?? '' } }))
  return (
    <ConsolePage title={release.data?.tag ?? t`Release`} up={{ to: '/releases', label: t`Releases` }}>
      <Answer query={release}>{(data) => <Release release={data} />}</Answer>
    </ConsolePage>
  )
}

function Signature({ signature }: { signature: ReleaseDetail['artifact']['signature'] }): ReactNode {
  if (signature.state === 'verified')
    return (
      <>
        <Status tone="good" icon="shield">{t`verified`}</Status>{' '}
        {t`with key ${signature.keyId ?? '?'}; digest and every file are as signed`}
      </>
    )
  if (signature.state === 'refused')
    return (
      <>
        <Status tone="bad">{t`refused`}</Status> {signature.because}
      </>
    )
  return <Status tone="warning">{t`missing`}</Status>
}

function Release({ release }: { release: ReleaseDetail }): ReactNode {
  const { word, tone } = verdictWords(release.verdict)
  const { artifact } = release
  return (
    <>
      <Panel title={t`What is known of it`}>
        <Facts>
          <Fact name={t`Verdict`}>
            <Status tone={tone}>{word}</Status> {release.verdictBecause}
          </Fact>
          <Fact name={t`Active in`}>
            {release.activeIn.length > 0 ? release.activeIn.join(', ') : t`no environment`}
          </Fact>
          <Fact name={t`Commit`}>
            <Hash of={release.commit} digits={40} />
          </Fact>
          <Fact name={t`Committed`}>{formatDateTime(release.committedAt)}</Fact>
          <Fact name={t`Built`}>{formatDateTime(release.builtAt)}</Fact>
          <Fact name={t`Schema`}>{t`runs on ${release.schema.min} to ${release.schema.max}`}</Fact>
          <Fact name="Node.js">{release.nodeVersion}</Fact>
        </Facts>
      </Panel>
      <Panel title={t`Artifact`}>
        <Facts>
          <Fact name={t`Digest`}>
            <Hash of={release.digest} digits={64} />
          </Fact>
          <Fact name={t`In the store`}>
            {artifact.present ? (
              <Status tone="good">{t`present, ${formatBytes(artifact.sizeBytes ?? 0)}`}</Status>
            ) : (
              <Status tone="warning">{t`not on this host`}</Status>
            )}
          </Fact>
          <Fact name={t`Signature`}>
            <Signature signature={artifact.signature} />
          </Fact>
          <Fact name={t`Installed`}>{artifact.installed ? t`yes, starts without a network` : t`no`}</Fact>
          <Fact name={t`Files`}>{formatCount(release.fileCount)}</Fact>
          <Fact name={t`Lockfile`}>
            <Hash of={release.lockfileHash} />
          </Fact>
          <Fact name={t`Toolchain`}>
            <Hash of={release.toolchainHash} />
          </Fact>
          <Fact name={t`Settings table`}>
            <Hash of={release.configHash} />
          </Fact>
          <Fact name={t`Packages`}>
            {release.sbom
              ? `${formatCount(release.sbom.packages)}: ${release.sbom.licences
                  .slice(0, 6)
                  .map(({ name, count }) => `${name || t`no licence stated`} ${formatCount(count)}`)
                  .join(', ')}`
              : t`unknown: the list of packages is not on this host`}
          </Fact>
        </Facts>
      </Panel>
      <Panel
        title={t`Migrations`}
        description={
          release.previousTag
            ? t`New ones are those that ${release.previousTag} does not have.`
            : t`This is the first release in the ledger.`
        }
      >
        <ul className={plain.list}>
          {release.migrations
            .filter((migration) => migration.isNew)
            .map((migration) => (
              <li key={`${migration.app} ${migration.number}`}>
                <code>
                  {migration.app} {String(migration.number).padStart(4, '0')} {migration.name}
                </code>
                <Status tone={migration.previousReleaseRuns ? 'good' : 'warning'}>
                  {migration.previousReleaseRuns
                    ? t`previous release runs on it`
                    : t`previous release does not run on it`}
                </Status>
                {migration.reason && <span>{migration.reason}</span>}
              </li>
            ))}
        </ul>
        <p className={plain.note}>
          {plural(release.migrations.filter(({ isNew }) => !isNew).length, {
            one: '# migration was there before.',
            other: '# migrations were there before.',
          })}
        </p>
      </Panel>
      <Panel title={t`Commits`}>
        {release.commits === null ? (
          <p className={plain.note}>
            {release.previousTag
              ? t`Unknown: the git history between the two is not on this host.`
              : t`There is no earlier release to compare with.`}
          </p>
        ) : (
          <ul className={plain.list}>
            {release.commits.map((commit) => (
              <li key={commit.hash}>
                <code>{commit.hash}</code>
                <span>{commit.subject}</span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <Panel title={t`Deployments`}>
        {release.deployments.length === 0 ? (
          <p className={plain.note}>{t`It has not been deployed.`}</p>
        ) : (
          <DeploymentRows deployments={release.deployments} />
        )}
      </Panel>
    </>
  )
}
