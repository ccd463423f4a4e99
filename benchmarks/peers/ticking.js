// Says something as often as argument 3 asks, between two signals SIGUSR2. The same as livecounters
// says of a counter.
export function ticking(say) {
	let timer;
	let number = 0;
	process.on("SIGUSR2", () => {
		if (timer) {
			clearInterval(timer);
			timer = undefined;
			return;
		}
		timer = setInterval(() => {
			number += 1;
			say({
				op: "values",
				values: { "counter:hits": number },
				at: new Date().toISOString(),
				epoch: "0123456789abcdef",
				seq: number,
			});
		}, 1000 / Number(process.argv[3]));
	});
}
