const POLICY_VIOLATION = 1008; // how the server closes the sockets of a session that has ended

const status = document.querySelector('#live-status');
const windows = document.querySelector('#live-windows');
const socket = new WebSocket(`${location.protocol.replace('http', 'ws')}//${location.host}/live`);

socket.addEventListener('open', () => {
  status.textContent = 'Connected.';
});

socket.addEventListener('message', ({ data }) => {
  windows.textContent = JSON.parse(data).windows;
});

socket.addEventListener('close', ({ code, reason }) => {
  windows.textContent = '0';
  status.textContent =
    code === POLICY_VIOLATION
      ? `Closed by the server: ${reason}. Reload the page to go on.`
      : 'The connection is lost. Reload the page to connect again.';
});
