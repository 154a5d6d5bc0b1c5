// Keeps the list live. Cards come from the server as they are shown without this script; a card that is there
// stays as it is, so that neither focus nor a reason that is being typed is lost.
const list = document.getElementById("cards");
if (list) {
  const key = (card) => card.dataset.question;
  const look = async () => {
    const answer = await fetch("/cards");
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const cards = [...fresh.querySelectorAll("article")];
    const now = new Set(cards.map(key));
    for (const card of [...list.children]) if (!now.has(key(card))) card.remove();
    const before = new Set([...list.children].map(key));
    for (const card of cards) if (!before.has(key(card))) list.append(document.adoptNode(card));
    document.getElementById("status").textContent = `${cards.length} waiting`;
  };
  new EventSource("/events").onmessage = look;
}
