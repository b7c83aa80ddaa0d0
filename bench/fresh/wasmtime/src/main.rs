// SPDX-License-Identifier: Apache-2.0
// fresh MODULE ROUNDS: instantiates the WASI command with fresh state, calls _start, drops it, ROUNDS
// times; prints the median and the mean in microseconds.  Everything that can be done once is.
use std::time::Instant;
use wasmtime::*;
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{I32Exit, WasiCtxBuilder};

// The same line that bench-fresh sends.
const INPUT: &[u8] = b"a name of some length, as requests have it: one hundred bytes in, one \
                       hundred bytes out, fresh...\n";

fn run(engine: &Engine, pre: &InstancePre<WasiP1Ctx>, output: &MemoryOutputPipe) -> Result<()> {
    let input = MemoryInputPipe::new(INPUT);
    let wasi = WasiCtxBuilder::new().stdin(input).stdout(output.clone()).build_p1();
    let mut store = Store::new(engine, wasi);
    let instance = pre.instantiate(&mut store)?;
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
    match start.call(&mut store, ()) {
        Ok(()) => Ok(()),
        Err(error) if error.downcast_ref::<I32Exit>().is_some() => Ok(()),
        Err(error) => Err(error),
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds: usize = arguments[2].parse().unwrap();
    let mut config = Config::new();
    let mut pool = PoolingAllocationConfig::default();
    pool.total_core_instances(16).total_memories(16).total_tables(16);
    // Its own answer to small heaps: keep pages, and zero or copy them, instead of unmapping.
    pool.linear_memory_keep_resident(256 << 10).table_keep_resident(64 << 10);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config.cranelift_opt_level(OptLevel::Speed);
    let engine = Engine::new(&config)?;
    let module = Module::from_file(&engine, &arguments[1])?;
    let mut linker: Linker<WasiP1Ctx> = Linker::new(&engine);
    p1::add_to_linker_sync(&mut linker, |context| context)?;
    let pre = linker.instantiate_pre(&module)?;
    let mut times = Vec::with_capacity(rounds);
    let mut output = MemoryOutputPipe::new(1 << 20);
    for round in 0..rounds + 100 {
        if round % 1000 == 0 {
            output = MemoryOutputPipe::new(1 << 20);
        }
        let before = Instant::now();
        run(&engine, &pre, &output)?;
        if round >= 100 {
            times.push(before.elapsed().as_nanos() as f64 / 1000.0);
        }
    }
    let mean = times.iter().sum::<f64>() / rounds as f64;
    times.sort_by(|a, b| a.partial_cmp(b).unwrap());
    println!("{:.3} {:.3}", times[rounds / 2], mean);
    Ok(())
}
