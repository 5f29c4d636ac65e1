-- previous-release-runs: yes (there is no previous release)
-- up

-- Instants are ISO-8601 UTC text with milliseconds, JSON is text; both sort and read well in any SQLite shell.

-- Releases -------------------------------------------------------------------

create table release (
  digest text primary key,                       -- sha256 of the artifact
  tag text not null unique,
  version text not null,
  commit_hash text not null,
  lockfile_hash text not null,
  schema_min integer not null,
  schema_max integer not null,
  manifest text not null,                        -- JSON, as signed
  built_at text not null,
  verdict text not null default 'unknown' check (verdict in ('unknown', 'good', 'bad', 'quarantined')),
  verdict_because text not null default '',
  verdict_at text
) strict;

-- Gates and attestations -----------------------------------------------------

-- The newest row of a kind for a digest (and environment, where it depends on one) counts.
create table gate_record (
  id integer primary key,
  kind text not null,
  digest text not null references release (digest),
  environment text not null default '',
  verdict text not null check (verdict in ('pass', 'fail', 'waived')),
  evidence text not null,                        -- JSON {summary, link?, hash?, details?}
  by_whom text not null,
  at text not null,
  expires_at text
) strict;
create index gate_record_newest on gate_record (digest, kind, environment, id);

-- What a person vouches for: checklist lines that no machine can know.
create table attestation (
  id integer primary key,
  subject text not null,                         -- such as deployment:12
  item text not null,
  by_whom text not null,
  note text not null default '',
  at text not null,
  expires_at text not null
) strict;

-- Deployments ----------------------------------------------------------------

create table deployment (
  id integer primary key,
  kind text not null check (kind in ('deploy', 'rollback')),
  environment text not null,
  digest text not null references release (digest),
  previous_digest text references release (digest),
  state text not null,
  because text not null default '',
  requested_by text not null,
  requested_at text not null,
  updated_at text not null,
  ended_at text,
  data text not null default '{}'                -- JSON: what the steps need to resume (slots, backup, schema before, stamps)
) strict;
create unique index deployment_one_at_a_time on deployment (environment) where ended_at is null;
create index deployment_environment on deployment (environment, id);

-- Time line: every step with its start and end.
create table deployment_event (
  id integer primary key,
  deployment_id integer not null references deployment (id),
  at text not null,
  state text not null,
  step text not null,
  status text not null check (status in ('started', 'done', 'failed', 'skipped', 'note')),
  message text not null default '',
  detail text not null default '{}'
) strict;
create index deployment_event_deployment on deployment_event (deployment_id, id);

-- One holder an environment; `token` only ever grows.
create table lease (
  environment text primary key,
  token integer not null,
  holder text not null,                          -- JSON {pid, startedAt, host, who, purpose}; '' when free
  expires_at text not null,
  preempt_by text not null default ''            -- who asks the holder to stop at the next step
) strict;

-- Slots: processes of a release on private ports. `desired` is what should be, the keeper makes it so.
create table slot (
  id text primary key,                           -- such as production-7
  environment text not null,
  digest text not null,
  tag text not null,
  release_dir text not null,
  port integer not null,
  desired_web text not null check (desired_web in ('running', 'stopped')),
  desired_worker text not null check (desired_worker in ('running', 'stopped')),
  fencing_token integer not null,
  created_at text not null,
  observed text not null default '{}'            -- JSON, written by the keeper only
) strict;
create index slot_environment on slot (environment);

-- Where the front process of an environment sends requests; it keeps a copy of its own.
create table pointer (
  environment text primary key,
  pointer text not null,                         -- JSON Pointer
  fencing_token integer not null,
  at text not null
) strict;

-- Environments that take no deployment until a person says so.
create table freeze (
  environment text primary key,
  at text not null,
  because text not null
) strict;

-- Backups --------------------------------------------------------------------

create table backup (
  id text primary key,                           -- such as 20250127T100000Z-production
  environment text not null,
  state text not null check (state in ('running', 'ok', 'failed', 'verified', 'corrupt', 'deleted')),
  started_at text not null,
  ended_at text,
  folder text not null,
  size_bytes integer not null default 0,
  schema_number integer not null default 0,
  facts text not null default '{}',              -- JSON: rows by table, blobs, checksums, copies off the machine
  message text not null default ''
) strict;
create index backup_environment on backup (environment, started_at);

create table drill (
  id integer primary key,
  kind text not null,                            -- restore, or the issue of a game day: errors, slow, memory, database, cdn
  environment text not null,
  backup_id text,
  state text not null check (state in ('running', 'passed', 'failed')),
  started_at text not null,
  ended_at text,
  report text not null default '{}'
) strict;

-- Incidents ------------------------------------------------------------------

create table incident (
  id integer primary key,
  environment text not null,
  severity text not null check (severity in ('P0', 'P1', 'P2', 'P3')),
  title text not null,
  cause text not null default '',
  dedup_key text not null,
  state text not null check (state in ('open', 'acknowledged', 'resolved')),
  opened_at text not null,
  opened_by text not null,
  acknowledged_at text,
  acknowledged_by text,
  resolved_at text,
  deployment_id integer references deployment (id),
  evidence text not null default '{}'            -- JSON, frozen when the incident opened
) strict;
create unique index incident_one_open on incident (dedup_key) where state <> 'resolved';

create table incident_event (
  id integer primary key,
  incident_id integer not null references incident (id),
  at text not null,
  kind text not null,                            -- opened, note, severity, acknowledged, notified, resolved, …
  by_whom text not null,
  message text not null,
  detail text not null default '{}'
) strict;
create index incident_event_incident on incident_event (incident_id, id);

-- Diagnosis ------------------------------------------------------------------

create table diagnosis (
  id integer primary key,
  at text not null,
  environment text not null,
  playbook text not null,                        -- errors, slow, memory, database, cdn
  by_whom text not null,                         -- a person, or dam: ops for an alert
  incident_id integer references incident (id),
  report text not null                           -- JSON Diagnosis
) strict;
create index diagnosis_environment on diagnosis (environment, id);

-- Memory of each process, once a minute, for its slope.
create table process_memory (
  environment text not null,
  pid integer not null,
  started_at text not null,
  process text not null,
  at integer not null,                           -- milliseconds since 1970
  resident_bytes integer not null,
  primary key (environment, pid, at)
) strict, without rowid;

-- What a game day has done to an environment and how it is undone; a row that has not ended is undone by whoever finds it.
create table injection (
  id integer primary key,
  environment text not null,
  issue text not null,
  variant text not null,
  at text not null,
  process text not null,                         -- JSON {pid, startedAt} of who did it
  undo text not null,                            -- JSON Undo[]
  ended_at text
) strict;

-- Signals and alerts ---------------------------------------------------------

-- What was seen of an environment: steps of ten seconds for three hours, minutes for 35 days.
create table sample (
  environment text not null,
  resolution integer not null,                   -- milliseconds
  at integer not null,                           -- milliseconds since 1970
  data text not null,                            -- JSON Sample
  primary key (environment, resolution, at)
) strict, without rowid;

create table alert_state (
  environment text not null,
  rule text not null,
  state text not null,                           -- JSON AlertState
  -- The incident that tells of it; null while it is muted, inhibited or not firing.
  incident_id integer references incident (id),
  primary key (environment, rule)
) strict;

create table alert_change (
  id integer primary key,
  environment text not null,
  rule text not null,
  at text not null,
  phase text not null,
  value real
) strict;
create index alert_change_rule on alert_change (environment, rule, id);

create table silence (
  id integer primary key,
  environment text not null,                     -- * for all
  rule text not null,                            -- * for all
  starts_at text not null,
  ends_at text not null,
  reason text not null,
  by_whom text not null,
  at text not null
) strict;

-- Alerts of others (Alertmanager) that fire now, and the incident that tells of each.
create table inbound_alert (
  fingerprint text primary key,
  group_key text not null,
  name text not null,
  starts_at text not null,
  incident_id integer not null references incident (id),
  seen_at text not null
) strict;
create index inbound_alert_incident on inbound_alert (incident_id);

-- How far a reader of numbered rows has come.
create table progress (
  name text primary key,
  value integer not null
) strict;

-- On call and escalation -----------------------------------------------------

create table oncall_override (
  id integer primary key,
  kind text not null check (kind in ('temporary', 'replace', 'remove', 'add')),
  person text,
  other text,
  starts_at text not null,
  ends_at text not null,
  note text not null default '',
  by_whom text not null,
  at text not null,
  cancelled_at text
) strict;

-- What was in force; a change of policy never rewrites it.
create table oncall_past (
  starts_at text primary key,
  ends_at text not null,
  primary_person text,
  secondary_person text
) strict;

create table handoff_note (
  id integer primary key,
  by_whom text not null,
  at text not null,
  text text not null
) strict;

-- Addresses with a token that calendars read.
create table calendar_feed (
  token_hash text primary key,
  operator_id integer not null references operator (id) on delete cascade,
  person text,                                   -- null: everybody's shifts
  created_at text not null
) strict;

-- One row for each incident that still pages somebody or waits for its acknowledgement to run out.
create table escalation (
  incident_id integer primary key references incident (id),
  entered_at text not null,
  -- Highest level called so far, 0 before the first.
  level integer not null,
  round integer not null,
  called text not null default '[]',             -- JSON: what was called in this round, such as 1:primary
  next_at text not null,
  acknowledged_by text,
  acknowledged_until text,
  snoozed_until text
) strict;
create index escalation_due on escalation (next_at);

-- Maintenance ----------------------------------------------------------------

-- Windows of the coming 60 days, those under way, and those that are over.
create table maintenance_window (
  id integer primary key,
  window_key text not null unique,               -- policy:<name>/<local day> or plan:<number>
  environment text not null,
  source text not null check (source in ('policy', 'plan')),
  name text not null,
  reason text not null default '',
  starts_at text not null,
  ends_at text not null,
  notice_at text not null,
  mode text not null check (mode in ('read-only', 'full')),
  absorbed text not null default '[]',           -- JSON: names of windows that take place inside it
  state text not null check (state in ('scheduled', 'active', 'ended', 'cancelled')),
  is_pinned integer not null default 0,          -- moved or cancelled by a person: the policy leaves it alone
  revision integer not null default 0,
  created_at text not null,
  created_by text not null,
  entered_at text,
  entered_by text,
  left_at text,
  left_by text,
  data text not null default '{}'                -- JSON WindowData
) strict;
create index maintenance_window_time on maintenance_window (state, ends_at);
create unique index maintenance_one_active on maintenance_window (environment) where state = 'active';

-- Each is sent at most once; one that a later one made needless is superseded.
create table maintenance_notice (
  id integer primary key,
  window_id integer not null references maintenance_window (id),
  kind text not null,
  detail text not null default '',
  due_at text not null,
  sent_at text,
  outcome text not null default '',
  unique (window_id, kind, detail)
) strict;
create index maintenance_notice_due on maintenance_notice (due_at) where sent_at is null;

create table maintenance_event (
  id integer primary key,
  window_id integer not null references maintenance_window (id),
  at text not null,
  kind text not null,                            -- planned, moved, entered, backup, muted, no-return, overrun, left, …
  by_whom text not null,
  message text not null
) strict;
create index maintenance_event_window on maintenance_event (window_id, id);

-- What the public is told ------------------------------------------------------

-- An incident the public knows of, under a name of its own.
create table public_incident (
  incident_id integer primary key references incident (id),
  title text not null
) strict;

create table public_update (
  id integer primary key,
  incident_id integer not null references public_incident (incident_id),
  at text not null,
  state text not null check (state in ('investigating', 'identified', 'watching', 'resolved')),
  text text not null,
  by_whom text not null
) strict;
create index public_update_incident on public_update (incident_id, id);

-- Seconds that were looked at and seconds without an answer, of a UTC day; longer kept than samples.
create table uptime_day (
  environment text not null,
  day text not null,
  seen_seconds integer not null,
  down_seconds integer not null,
  primary key (environment, day)
) strict, without rowid;

create table status_subscription (
  id integer primary key,
  email text not null unique,
  locale text not null,
  confirm_hash text not null,
  -- Only unsubscribes, and stands in every message.
  leave_token text not null unique,
  asked_at text not null,
  confirmed_at text
) strict;

-- Requests for a subscription, by hash of what is limited.
create table status_try (
  bucket text primary key,
  tries integer not null,
  window_started_at text not null
) strict;

-- Outgoing messages ----------------------------------------------------------

create table outbox (
  id integer primary key,
  dedup_key text not null unique,                -- subject + event + channel
  channel text not null,
  subject text not null,                         -- such as incident:4
  priority integer not null,                     -- 0 first
  message text not null,                         -- JSON Message
  -- dropped: what it announces was over before it could be sent
  state text not null check (state in ('waiting', 'sending', 'sent', 'dead', 'dropped')),
  attempts integer not null default 0,
  unsure integer not null default 0,             -- attempts that may have arrived although nothing said so
  next_at text not null,
  created_at text not null,
  sent_at text,
  outcome text not null default ''               -- last answer or error
) strict;
create index outbox_due on outbox (state, next_at, priority);
create index outbox_unsent on outbox (channel, subject, id) where state in ('waiting', 'sending');
create index outbox_subject on outbox (subject);

-- What a destination needs to update an earlier message of a subject.
create table channel_reference (
  channel text not null,
  subject text not null,
  reference text not null,
  primary key (channel, subject)
) strict;

-- People of the console and what they did -------------------------------------

create table operator (
  id integer primary key,
  username text not null unique,
  display_name text not null default '',
  email text not null default '',
  password_hash text not null,
  role text not null check (role in ('viewer', 'operator', 'administrator')),
  active integer not null default 1,
  created_at text not null
) strict;

create table operator_session (
  id integer primary key,
  token_hash text not null unique,
  operator_id integer not null references operator (id) on delete cascade,
  kind text not null check (kind in ('browser', 'token')),
  label text not null default '',
  created_at text not null,
  last_used_at text not null,
  expires_at text not null
) strict;

-- The one-time link that creates the first administrator; only the newest works.
create table operator_setup_link (
  singleton integer primary key check (singleton = 1),
  token_hash text not null,
  created_at text not null
) strict;

-- Tries at signing in, by hash of name and address.
create table operator_sign_in (
  bucket text primary key,
  tries integer not null,
  window_started_at text not null
) strict;

-- Commands started from the console: child processes that outlive the browser and the ops process.
create table console_action (
  id integer primary key,
  kind text not null,                            -- deploy, rollback, backup, verify, restore, drill
  subject text not null,                         -- such as production or a backup's id
  command text not null,                         -- what a person would type
  started_by text not null,
  started_at text not null,
  process text not null default '',              -- JSON {pid, startedAt}
  output_file text not null,
  ended_at text,
  exit_code integer                              -- null when it ended unseen
) strict;

create table audit (
  id integer primary key,
  at text not null,
  who text not null,
  action text not null,
  subject text not null default '',
  detail text not null default '{}'
) strict;

-- Judge for other engines ----------------------------------------------------

-- A release that Argo Rollouts or another engine brings out and asks the judge about.
create table engine_analysis (
  id text primary key,
  release text not null,
  control text not null default '',              -- '' = every other release
  source text not null check (source in ('prometheus', 'counts')),
  started_at text not null,
  ends_at text not null,
  asked_at text not null,
  verdict text not null default '' check (verdict in ('', 'good', 'bad')),   -- final ones only
  answer text not null default '{}'
) strict;

-- What an engine reported itself, by second.
create table engine_count (
  analysis text not null references engine_analysis on delete cascade,
  side text not null check (side in ('fresh', 'control')),
  second integer not null,
  total integer not null,
  bad integer not null,
  slow integer not null,
  primary key (analysis, side, second)
) strict;

-- Scheduler ------------------------------------------------------------------

-- One row for each named job; who holds `lease_until` runs it.
create table scheduled_job (
  name text primary key,
  due_at text not null,
  runner text not null default '',
  lease_until text,
  last_started_at text,
  last_ended_at text,
  last_outcome text not null default ''          -- ok, or what went wrong
) strict;

-- down

drop table engine_count;
drop table engine_analysis;
drop table scheduled_job;
drop table audit;
drop table console_action;
drop table operator_sign_in;
drop table operator_setup_link;
drop table operator_session;
drop table operator;
drop table channel_reference;
drop table outbox;
drop table maintenance_event;
drop table maintenance_notice;
drop table maintenance_window;

drop table status_try;
drop table status_subscription;
drop table uptime_day;
drop table public_update;
drop table public_incident;
drop table escalation;
drop table calendar_feed;
drop table progress;
drop table inbound_alert;
drop table silence;
drop table alert_change;
drop table alert_state;
drop table sample;
drop table handoff_note;
drop table oncall_past;
drop table oncall_override;
drop table injection;
drop table process_memory;
drop table diagnosis;
drop table incident_event;
drop table incident;
drop table drill;
drop table backup;
drop table freeze;
drop table pointer;
drop table slot;
drop table lease;
drop table deployment_event;
drop table deployment;
drop table attestation;
drop table gate_record;
drop table release;
