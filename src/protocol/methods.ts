/** @module The catalogue of everything peers may ask of each other. */
import * as location from '../../dht/messages.ts';
import type { Method, Notice } from '../network/method.ts';
import * as m from './messages.ts';

const control = 'control' as const;
const bulk = 'bulk' as const;

// Open to strangers.
export const JOIN: Method<m.JoinRequest, m.JoinResponse> = {
  name: 'join',
  trafficClass: 'join',
  request: m.JoinRequest,
  response: m.JoinResponse,
};
export const STANDING: Method<m.StandingRequest, m.StandingResponse> = {
  name: 'standing',
  trafficClass: 'join',
  request: m.StandingRequest,
  response: m.StandingResponse,
};

// Clients to any metadata node.
export const MUTATE: Method<m.MutateRequest, m.MutateResponse> = {
  name: 'meta.mutate',
  trafficClass: control,
  request: m.MutateRequest,
  response: m.MutateResponse,
};
export const MUTATE_MANY: Method<m.MutateManyRequest, m.MutateManyResponse> = {
  name: 'meta.mutate-many',
  trafficClass: control,
  request: m.MutateManyRequest,
  response: m.MutateManyResponse,
};
export const STAT: Method<m.StatRequest, m.StatResponse> = {
  name: 'meta.stat',
  trafficClass: control,
  request: m.StatRequest,
  response: m.StatResponse,
};
export const STAT_MANY: Method<m.StatManyRequest, m.StatManyResponse> = {
  name: 'meta.stat-many',
  trafficClass: control,
  request: m.StatManyRequest,
  response: m.StatManyResponse,
};
export const LIST: Method<m.ListRequest, m.ListResponse> = {
  name: 'meta.list',
  trafficClass: control,
  request: m.ListRequest,
  response: m.ListResponse,
};
export const READ_PLAN: Method<m.ReadPlanRequest, m.ReadPlanResponse> = {
  name: 'meta.read-plan',
  trafficClass: control,
  request: m.ReadPlanRequest,
  response: m.ReadPlanResponse,
};
export const READ_PLANS: Method<m.ReadPlansRequest, m.ReadPlansResponse> = {
  name: 'meta.read-plans',
  trafficClass: control,
  request: m.ReadPlansRequest,
  response: m.ReadPlansResponse,
};
export const PLACE: Method<m.PlaceRequest, m.PlaceResponse> = {
  name: 'meta.place',
  trafficClass: control,
  request: m.PlaceRequest,
  response: m.PlaceResponse,
};
export const LOCATE: Method<m.LocateRequest, m.LocateResponse> = {
  name: 'meta.locate',
  trafficClass: control,
  request: m.LocateRequest,
  response: m.LocateResponse,
};
export const REPORT_BAD_BLOCK: Method<m.ReportBadBlockRequest, m.Empty> = {
  name: 'meta.report-bad-block',
  trafficClass: control,
  request: m.ReportBadBlockRequest,
  response: m.Empty,
};
export const STATUS: Method<m.StatusRequest, m.StatusResponse> = {
  name: 'meta.status',
  trafficClass: control,
  request: m.StatusRequest,
  response: m.StatusResponse,
};
export const MEMBERS: Method<m.MembersRequest, m.MembersResponse> = {
  name: 'meta.members',
  trafficClass: control,
  request: m.MembersRequest,
  response: m.MembersResponse,
};
export const WHO_IS: Method<m.WhoIsRequest, m.WhoIsResponse> = {
  name: 'meta.who-is',
  trafficClass: control,
  request: m.WhoIsRequest,
  response: m.WhoIsResponse,
};
/** Any member to any node. */
export const MANIFEST: Method<location.ManifestRequest, location.ManifestChain> = {
  name: 'node.manifest',
  trafficClass: control,
  request: location.ManifestRequest,
  response: location.ManifestChain,
};
export const CREATE_TOKEN: Method<m.CreateTokenRequest, m.CreateTokenResponse> = {
  name: 'meta.token-create',
  trafficClass: control,
  request: m.CreateTokenRequest,
  response: m.CreateTokenResponse,
};
export const LIST_TOKENS: Method<m.Empty, m.ListTokensResponse> = {
  name: 'meta.token-list',
  trafficClass: control,
  request: m.Empty,
  response: m.ListTokensResponse,
};
export const REVOKE_TOKEN: Method<m.RevokeTokenRequest, m.Empty> = {
  name: 'meta.token-revoke',
  trafficClass: control,
  request: m.RevokeTokenRequest,
  response: m.Empty,
};
export const REMOVE_MEMBER: Method<m.RemoveMemberRequest, m.RemoveMemberResponse> = {
  name: 'meta.member-remove',
  trafficClass: control,
  request: m.RemoveMemberRequest,
  response: m.RemoveMemberResponse,
};
export const DRAIN: Method<m.DrainRequest, m.DrainResponse> = {
  name: 'meta.drain',
  trafficClass: control,
  request: m.DrainRequest,
  response: m.DrainResponse,
};
export const TRANSFER_LEADER: Method<m.TransferLeaderRequest, m.TransferLeaderResponse> = {
  name: 'meta.transfer-leader',
  trafficClass: control,
  request: m.TransferLeaderRequest,
  response: m.TransferLeaderResponse,
};
export const CONFIGURE: Method<m.ConfigureRequest, m.ConfigureResponse> = {
  name: 'meta.configure',
  trafficClass: control,
  request: m.ConfigureRequest,
  response: m.ConfigureResponse,
};
export const CONFIGURE_COLLECTION: Method<m.ConfigureCollectionRequest, m.ConfigureCollectionResponse> = {
  name: 'meta.configure-collection',
  trafficClass: control,
  request: m.ConfigureCollectionRequest,
  response: m.ConfigureCollectionResponse,
};
export const VOUCH: Method<m.VouchRequest, m.VouchResponse> = {
  name: 'meta.vouch',
  trafficClass: control,
  request: m.VouchRequest,
  response: m.VouchResponse,
};
export const REJOIN: Method<m.RejoinRequest, m.JoinResponse> = {
  name: 'meta.rejoin',
  trafficClass: control,
  request: m.RejoinRequest,
  response: m.JoinResponse,
};
export const POSITION: Method<m.Empty, m.Position> = {
  name: 'meta.position',
  trafficClass: control,
  request: m.Empty,
  response: m.Position,
};

// Background workers. A process with both roles serves both, so they have names of their own.
export const META_WORKERS: Method<m.Empty, m.WorkersResponse> = {
  name: 'meta.workers',
  trafficClass: control,
  request: m.Empty,
  response: m.WorkersResponse,
};
export const META_WORKER_CONTROL: Method<m.WorkerControlRequest, m.WorkersResponse> = {
  name: 'meta.worker-control',
  trafficClass: control,
  request: m.WorkerControlRequest,
  response: m.WorkersResponse,
};
export const DATA_WORKERS: Method<m.Empty, m.WorkersResponse> = {
  name: 'data.workers',
  trafficClass: control,
  request: m.Empty,
  response: m.WorkersResponse,
};
export const DATA_WORKER_CONTROL: Method<m.WorkerControlRequest, m.WorkersResponse> = {
  name: 'data.worker-control',
  trafficClass: control,
  request: m.WorkerControlRequest,
  response: m.WorkersResponse,
};

// Between metadata nodes.
export const FORWARD: Method<m.ForwardRequest, m.ForwardResponse> = {
  name: 'meta.forward',
  trafficClass: control,
  request: m.ForwardRequest,
  response: m.ForwardResponse,
};
export const FEATURE_LEVEL: Method<m.Empty, m.FeatureLevelResponse> = {
  name: 'meta.feature-level',
  trafficClass: control,
  request: m.Empty,
  response: m.FeatureLevelResponse,
};
export const SILENCE: Method<m.SilenceRequest, m.SilenceResponse> = {
  name: 'meta.silence',
  trafficClass: control,
  request: m.SilenceRequest,
  response: m.SilenceResponse,
};
export const ANSWERS: Method<m.AnswersRequest, m.AnswersResponse> = {
  name: 'meta.answers',
  trafficClass: control,
  request: m.AnswersRequest,
  response: m.AnswersResponse,
};
export const SOLE_COPIES: Method<m.SoleCopiesRequest, m.SoleCopiesResponse> = {
  name: 'meta.sole-copies',
  trafficClass: control,
  request: m.SoleCopiesRequest,
  response: m.SoleCopiesResponse,
};
export const KEEPER_REPORT: Method<m.Empty, m.KeeperReport> = {
  name: 'meta.keeper-report',
  trafficClass: control,
  request: m.Empty,
  response: m.KeeperReport,
};
export const REPAIR_TURN: Method<m.Empty, m.RepairTurnResponse> = {
  name: 'meta.repair-turn',
  trafficClass: control,
  request: m.Empty,
  response: m.RepairTurnResponse,
};
export const RAFT: Notice<m.RaftMessages> = { name: 'raft', trafficClass: 'raft', body: m.RaftMessages };
/** Answered with the chunks of snapshot-chunks.ts. */
export const SNAPSHOT_READ_CHANNEL = 'snapshot.chunks';

// Datanodes to metadata nodes.
export const REGISTER: Method<m.RegisterRequest, m.RegisterResponse> = {
  name: 'meta.register',
  trafficClass: control,
  request: m.RegisterRequest,
  response: m.RegisterResponse,
};
export const HEARTBEAT: Method<m.HeartbeatRequest, m.HeartbeatResponse> = {
  name: 'meta.heartbeat',
  trafficClass: control,
  request: m.HeartbeatRequest,
  response: m.HeartbeatResponse,
};
export const REFERENCES: Method<m.ReferencesRequest, m.ReferencesResponse> = {
  name: 'meta.references',
  trafficClass: control,
  request: m.ReferencesRequest,
  response: m.ReferencesResponse,
};

// The location index.
export const ANNOUNCE: Method<location.AnnounceRequest, location.AnnounceResponse> = {
  name: 'dht.announce',
  trafficClass: control,
  request: location.AnnounceRequest,
  response: location.AnnounceResponse,
};
export const INDEX_OVERVIEW: Method<location.IndexOverviewRequest, location.IndexOverviewResponse> = {
  name: 'dht.overview',
  trafficClass: control,
  request: location.IndexOverviewRequest,
  response: location.IndexOverviewResponse,
};
export const INDEX_LOOKUP: Method<location.IndexLookupRequest, location.IndexLookupResponse> = {
  name: 'dht.explain-lookup',
  trafficClass: control,
  request: location.IndexLookupRequest,
  response: location.IndexLookupResponse,
};
export const COMPARE: Method<location.CompareRequest, location.CompareResponse> = {
  name: 'dht.compare',
  trafficClass: control,
  request: location.CompareRequest,
  response: location.CompareResponse,
};
export const HOLDINGS: Method<location.HoldingsRequest, location.HoldingsResponse> = {
  name: 'dht.holdings',
  trafficClass: control,
  request: location.HoldingsRequest,
  response: location.HoldingsResponse,
};
export const PULL: Method<location.PullRequest, location.PullResponse> = {
  name: 'dht.pull',
  trafficClass: control,
  request: location.PullRequest,
  response: location.PullResponse,
};
export const LOOKUP: Method<location.LookupRequest, location.LookupResponse> = {
  name: 'dht.lookup',
  trafficClass: control,
  request: location.LookupRequest,
  response: location.LookupResponse,
};
export const INDEX_STATUS: Method<location.IndexStatusRequest, location.IndexStatusResponse> = {
  name: 'dht.status',
  trafficClass: control,
  request: location.IndexStatusRequest,
  response: location.IndexStatusResponse,
};

// To datanodes.
export const REPLICATE: Method<m.ReplicateRequest, m.ReplicateResponse> = {
  name: 'block.replicate',
  trafficClass: control,
  request: m.ReplicateRequest,
  response: m.ReplicateResponse,
};
/** Between neighbours on the ring of datanodes. */
export const HELLO: Method<m.Empty, m.HelloResponse> = {
  name: 'node.hello',
  trafficClass: control,
  request: m.Empty,
  response: m.HelloResponse,
};
export const BLOCKS_HERE: Method<m.BlocksHereRequest, m.BlocksHereResponse> = {
  name: 'block.list',
  trafficClass: control,
  request: m.BlocksHereRequest,
  response: m.BlocksHereResponse,
};
export const COPIES: Method<m.CopiesRequest, m.CopiesResponse> = {
  name: 'block.copies',
  trafficClass: control,
  request: m.CopiesRequest,
  response: m.CopiesResponse,
};
export const RETAIN: Method<m.RetainRequest, m.RetainResponse> = {
  name: 'block.retain',
  trafficClass: control,
  request: m.RetainRequest,
  response: m.RetainResponse,
};
export const DROP_SURPLUS: Method<m.DropSurplusRequest, m.DropSurplusResponse> = {
  name: 'block.drop-surplus',
  trafficClass: control,
  request: m.DropSurplusRequest,
  response: m.DropSurplusResponse,
};
export const COLLECTION_REPORT: Method<m.CollectionReportRequest, m.CollectionReport> = {
  name: 'block.collection',
  trafficClass: control,
  request: m.CollectionReportRequest,
  response: m.CollectionReport,
};
export const WRITE_BLOCKS: Method<m.WriteBlocksRequest, m.WriteBlocksResponse> = {
  name: 'block.write-many',
  trafficClass: bulk,
  request: m.WriteBlocksRequest,
  response: m.WriteBlocksResponse,
};
export const READ_BLOCKS: Method<m.ReadBlocksRequest, m.ReadBlocksResponse> = {
  name: 'block.read-many',
  trafficClass: bulk,
  request: m.ReadBlocksRequest,
  response: m.ReadBlocksResponse,
};
export const BLOCK_WRITE_CHANNEL = 'block.write';
export const BLOCK_READ_CHANNEL = 'block.read';
