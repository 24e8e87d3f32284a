/** The page's style sheet. */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --page: #f5f7f7; --card: #fff; --line: #e1e7e6; --text: #16201f; --soft: #5a6967; --accent: #0f766e;
  --code: #eef3f2; --good: #0b6b4f; --good-back: #ddf3ea; --warn: #8a5300; --warn-back: #fdf0d8;
  --bad: #b42318; --bad-back: #fde7e4; --info: #1d4f91; --info-back: #e3edfb; --track: #e4eae9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1514; --card: #161e1d; --line: #28332f; --text: #e4ecea; --soft: #9aaba7; --accent: #5eead4;
    --code: #1f2a28; --good: #86e3bf; --good-back: #123329; --warn: #f5c878; --warn-back: #38290d;
    --bad: #ff9f93; --bad-back: #421b17; --info: #a8ccff; --info-back: #172c49; --track: #26312f;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0; background: var(--page); color: var(--text); font: 14px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1, h2, p, dl, dd { margin: 0; }
h1 { font-size: 1.15rem; letter-spacing: -0.01em; }
h2 { font-size: 0.95rem; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, .hash, .target, .key { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; font-size: 0.92em; }
.soft { color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

header, main { width: 100%; max-width: 84rem; margin-inline: auto; padding-inline: clamp(1rem, 3vw, 2rem); }
header { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; align-items: center; justify-content: space-between; padding-block: 1.25rem 1rem; }
.title { display: flex; flex-wrap: wrap; gap: 0.25rem 0.9rem; align-items: center; }
.state { display: inline-flex; align-items: center; gap: 0.45rem; padding: 0.1rem 0.65rem; border-radius: 99rem; font-size: 0.86rem; background: var(--warn-back); color: var(--warn); }
.state::before { content: ""; width: 0.5rem; height: 0.5rem; border-radius: 50%; background: currentColor; }
.state[data-state="live"] { background: var(--good-back); color: var(--good); }
.state[data-state="ended"] { background: var(--bad-back); color: var(--bad); }
.filter { display: flex; align-items: center; gap: 0.6rem; color: var(--soft); flex: 0 1 24rem; }
input[type="search"] { flex: 1; min-width: 0; padding: 0.45rem 0.75rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--text); font: inherit; }
main { display: grid; grid-template-columns: minmax(0, 1fr); gap: 1rem; padding-bottom: 3rem; }

.counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.75rem; }
.counts div { padding: 0.7rem 1rem; border: 1px solid var(--line); border-radius: 12px; background: var(--card); }
.counts dt { color: var(--soft); font-size: 0.86rem; }
.counts dd { font-size: 1.5rem; font-weight: 600; letter-spacing: -0.02em; font-variant-numeric: tabular-nums; line-height: 1.25; }
.notice:empty + section { margin-top: -1rem; }
.notice:not(:empty) { padding: 0.6rem 1rem; border-radius: 10px; background: var(--good-back); color: var(--good); }
.notice[data-kind="bad"] { background: var(--bad-back); color: var(--bad); }

.card { border: 1px solid var(--line); border-radius: 12px; background: var(--card); overflow: hidden; }
.card-head { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; justify-content: space-between; padding: 0.8rem 1rem; border-bottom: 1px solid var(--line); }
.card-head .soft, .toggle { font-size: 0.88rem; color: var(--soft); }
.toggle { display: inline-flex; gap: 0.45rem; align-items: center; cursor: pointer; }
.toggle input { accent-color: var(--accent); margin: 0; }
.scroll { overflow: auto; max-height: 26rem; }
.empty { padding: 1.4rem 1rem; text-align: center; color: var(--soft); }

table { width: 100%; min-width: 56rem; border-collapse: collapse; }
.sessions td { vertical-align: middle; }
th { position: sticky; top: 0; z-index: 1; padding: 0.45rem 0.75rem; background: var(--card); box-shadow: inset 0 -1px var(--line); color: var(--soft); font-size: 0.82rem; font-weight: 500; text-align: start; white-space: nowrap; }
td { padding: 0.45rem 0.75rem; border-top: 1px solid var(--line); vertical-align: top; }
tbody tr:first-child td { border-top: 0; }
th:first-child, td:first-child { padding-inline-start: 1rem; }
th:last-child, td:last-child { padding-inline-end: 1rem; }
.number { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums; }
time { white-space: nowrap; font-variant-numeric: tabular-nums; color: var(--soft); }
.owner, .target, .details { overflow-wrap: anywhere; }
.owner { max-width: 14rem; }
.target { max-width: 22rem; min-width: 9rem; }
.keys { max-width: 24rem; min-width: 9rem; }
.key { display: inline-block; max-width: 100%; margin: 0 0.3rem 0.2rem 0; padding: 0 0.4rem; border-radius: 5px; background: var(--code); overflow-wrap: anywhere; }
.hash { padding: 0; border: 0; background: none; color: var(--accent); cursor: pointer; }
.hash:hover { text-decoration: underline; }

.left { min-width: 11rem; white-space: nowrap; }
.left-text { margin-inline-start: 0.6rem; font-variant-numeric: tabular-nums; }
progress { appearance: none; width: 6.5rem; height: 0.4rem; border: 0; border-radius: 99rem; overflow: hidden; background: var(--track); color: var(--accent); vertical-align: middle; }
progress::-webkit-progress-bar { background: var(--track); }
progress::-webkit-progress-value { background: var(--accent); border-radius: 99rem; transition: inline-size 1s linear; }
progress::-moz-progress-bar { background: var(--accent); border-radius: 99rem; }
progress[data-level="middle"]::-webkit-progress-value { background: #d68a00; }
progress[data-level="middle"]::-moz-progress-bar { background: #d68a00; }
progress[data-level="low"]::-webkit-progress-value { background: #d5402f; }
progress[data-level="low"]::-moz-progress-bar { background: #d5402f; }
@media (prefers-reduced-motion: reduce) { progress::-webkit-progress-value { transition: none; } }
.over { opacity: 0.55; }

.badge { display: inline-block; padding: 0 0.5rem; border-radius: 99rem; background: var(--code); color: var(--soft); font-size: 0.86em; white-space: nowrap; }
.badge[data-kind="store-create"], .badge[data-kind="store-write"], .badge[data-kind="cookie-send"], .badge[data-kind="event-create"], .badge[data-kind="event-save"] { background: var(--good-back); color: var(--good); }
.badge[data-kind="event-load"], .badge[data-kind="event-touch"], .badge[data-kind="store-touch"], .badge[data-kind="event-rotate"] { background: var(--info-back); color: var(--info); }
.badge[data-kind="store-delete"], .badge[data-kind="cookie-expire"], .badge[data-kind="event-conflict"], .badge[data-kind="event-destroy"], .badge[data-kind="event-expire"] { background: var(--warn-back); color: var(--warn); }
.badge[data-kind="event-interrupted"], .badge[data-kind="event-error"], .badge[data-kind="event-reuse"] { background: var(--bad-back); color: var(--bad); }
.outcome { display: flex; gap: 0.5rem; align-items: baseline; }
.outcome + .outcome { margin-top: 0.15rem; }
.outcome .badge { flex: none; }

button { font: inherit; }
.hash { font: 0.92em ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, monospace; }
.revoke, .buttons button { padding: 0.15rem 0.7rem; border: 1px solid var(--line); border-radius: 7px; background: var(--card); color: var(--text); cursor: pointer; }
.action { text-align: end; }
.revoke { color: var(--bad); }
.revoke:hover { background: var(--bad-back); }
dialog { max-width: 27rem; padding: 1.4rem; border: 1px solid var(--line); border-radius: 14px; background: var(--card); color: var(--text); box-shadow: 0 20px 60px rgb(0 0 0 / 25%); overflow-wrap: anywhere; }
dialog::backdrop { background: rgb(10 20 18 / 45%); }
dialog h2 { margin-bottom: 0.5rem; font-size: 1.05rem; }
.buttons { display: flex; gap: 0.6rem; justify-content: flex-end; margin-top: 1.2rem; }
.buttons button { padding: 0.4rem 1rem; }
.buttons .danger { border-color: transparent; background: #b42318; color: #fff; }
.noscript { padding: 2rem; text-align: center; }
`;
