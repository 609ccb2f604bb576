#!/usr/bin/env escript
%% SPDX-License-Identifier: BSD-2-Clause
%% Peer benchmark: Erlang processes.
%%
%% usage: ERL_FLAGS="+S 1:1 +P 2000000" escript erl_bench.erl SCENARIO N
%%
%% The number of schedulers (+S) comes from the environment. call_cross binds
%% caller and service to schedulers 1 and 2 (undocumented process_flag) and so
%% needs +S 2. The call_gen scenario is `call` through gen_server.
-mode(compile).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

-define(CALLERS, 1000).
-define(BATCH, 10000).
-define(CAP, 1024).
-define(SLEEP_MS, 3000).

%% ---- request/reply ---------------------------------------------------------

service() ->
    receive
        {Ref, From, N} -> From ! {Ref, N * N}, service();
        stop -> ok
    end.

ask(Svc, N) ->
    Ref = make_ref(),
    Svc ! {Ref, self(), N},
    receive {Ref, R} -> R end.

ask_loop(_, 0) -> ok;
ask_loop(Svc, N) -> ask(Svc, N), ask_loop(Svc, N - 1).

init([]) -> {ok, nil}.
handle_call(N, _From, S) -> {reply, N * N, S}.
handle_cast(_, S) -> {noreply, S}.

gen_loop(_, 0) -> ok;
gen_loop(Svc, N) -> gen_server:call(Svc, N), gen_loop(Svc, N - 1).

scenario("call", N) ->
    Svc = spawn(fun service/0),
    timed(fun() -> ask_loop(Svc, N) end);
scenario("call_gen", N) ->
    {ok, Svc} = gen_server:start(?MODULE, [], []),
    timed(fun() -> gen_loop(Svc, N) end);
scenario("call_cross", N) ->
    2 = erlang:system_info(schedulers_online),
    Svc = spawn(fun() -> process_flag(scheduler, 2), service() end),
    process_flag(scheduler, 1),
    erlang:yield(),
    timed(fun() -> ask_loop(Svc, N) end);
scenario("pipeline", N) ->
    Svc = spawn(fun service/0),
    K = N div ?CALLERS,
    timed(fun() -> join(?CALLERS, fun() -> ask_loop(Svc, K) end) end);

%% ---- tasks -----------------------------------------------------------------

scenario("spawn", N) ->
    timed(fun() -> spawn_loop(N) end);
scenario("spawn_gather", N) ->
    timed(fun() -> [join(?BATCH, fun() -> ok end)
                    || _ <- lists:seq(1, N div ?BATCH)] end);
scenario("sleepers", N) ->
    %% else each collection of this process walks all the messages waiting
    process_flag(message_queue_data, off_heap),
    T = timed(fun() ->
        Me = self(),
        F = fun() -> receive after ?SLEEP_MS -> Me ! done end end,
        start(N, F), collect(N) end),
    T - ?SLEEP_MS * 1000000;
scenario("yield", N) ->
    timed(fun() -> join(2, fun() -> yield_loop(N div 2) end) end);

%% ---- bounded queue: mailboxes are unbounded, so a credit window of 1,024 ----

scenario("queue", N) ->
    timed(fun() ->
        Me = self(),
        C = spawn(fun() -> consume(N, 0, undefined), Me ! done end),
        spawn(fun() -> C ! {producer, self()}, produce(C, N, ?CAP) end),
        receive done -> ok end end);
%% ... and a queue process with blocking put and get
scenario("queue_server", N) -> queue_server(N, 1);
scenario("queue_mpmc", N) -> queue_server(N, 4).

spawn_loop(0) -> ok;
spawn_loop(N) ->
    {_, M} = spawn_monitor(fun() -> N * N end),
    receive {'DOWN', M, _, _, _} -> spawn_loop(N - 1) end.

yield_loop(0) -> ok;
yield_loop(N) -> erlang:yield(), yield_loop(N - 1).

produce(_, 0, _) -> ok;
produce(C, N, 0) -> receive {credit, K} -> produce(C, N, K) end;
produce(C, N, Credit) -> C ! {item, N}, produce(C, N - 1, Credit - 1).

consume(N, Seen, undefined) -> receive {producer, P} -> consume(N, Seen, P) end;
consume(0, _, _) -> ok;
consume(N, Seen, P) when Seen =:= ?CAP div 2 ->
    P ! {credit, ?CAP div 2}, consume(N, 0, P);
consume(N, Seen, P) -> receive {item, _} -> consume(N - 1, Seen + 1, P) end.

queue_server(N, Pairs) ->
    Q = spawn(fun() -> q_loop(queue:new(), 0) end),
    K = N div Pairs,
    timed(fun() ->
        Me = self(),
        [begin
             spawn(fun() -> put_loop(Q, K), Me ! done end),
             spawn(fun() -> get_loop(Q, K), Me ! done end)
         end || _ <- lists:seq(1, Pairs)],
        collect(2 * Pairs) end).

%% selective receive does the blocking: no put when full, no get when empty
q_loop(Q, 0) ->
    receive {put, F, R, X} -> F ! R, q_loop(queue:in(X, Q), 1) end;
q_loop(Q, ?CAP) ->
    receive {get, F, R} -> q_reply(Q, F, R, ?CAP) end;
q_loop(Q, Len) ->
    receive
        {put, F, R, X} -> F ! R, q_loop(queue:in(X, Q), Len + 1);
        {get, F, R} -> q_reply(Q, F, R, Len)
    end.

q_reply(Q, F, R, Len) ->
    {{value, X}, Q1} = queue:out(Q),
    F ! {R, X},
    q_loop(Q1, Len - 1).

put_loop(_, 0) -> ok;
put_loop(Q, N) ->
    R = make_ref(), Q ! {put, self(), R, N},
    receive R -> put_loop(Q, N - 1) end.

get_loop(_, 0) -> ok;
get_loop(Q, N) ->
    R = make_ref(), Q ! {get, self(), R},
    receive {R, _} -> get_loop(Q, N - 1) end.

%% ---- helpers ---------------------------------------------------------------

start(0, _) -> ok;
start(N, F) -> spawn(F), start(N - 1, F).

collect(0) -> ok;
collect(N) -> receive done -> collect(N - 1) end.

join(N, F) ->
    Me = self(),
    start(N, fun() -> F(), Me ! done end),
    collect(N).

timed(F) ->
    T0 = erlang:monotonic_time(nanosecond),
    F(),
    erlang:monotonic_time(nanosecond) - T0.

vm(Field) ->
    {ok, B} = file:read_file("/proc/self/status"),
    [V] = [L || L <- binary:split(B, <<"\n">>, [global]),
                binary:match(L, <<Field/binary, ":">>) =:= {0, byte_size(Field) + 1}],
    {match, [D]} = re:run(V, "[0-9]+", [{capture, first, list}]),
    list_to_integer(D).

main([Name, NS]) ->
    N = list_to_integer(NS),
    Base = vm(<<"VmRSS">>),
    Me = self(),
    %% a fresh process, so that escript's own heap plays no part
    spawn(fun() -> Me ! {result, scenario(Name, N)} end),
    Ns = receive {result, T} -> T end,
    Peak = vm(<<"VmHWM">>),
    Extra = case Name of
        "sleepers" -> io_lib:format(", \"rss_per_task_bytes\": ~b",
                                    [(Peak - Base) * 1024 div N]);
        _ -> ""
    end,
    io:format("{\"peer\": \"erlang/S~b\", \"scenario\": \"~s\", \"n\": ~b, "
              "\"seconds\": ~.6f, \"per_op_ns\": ~.1f, \"rss_kb\": ~b~s}~n",
              [erlang:system_info(schedulers_online), Name, N,
               Ns / 1.0e9, Ns / N, Peak, Extra]);
main(_) ->
    io:format(standard_error, "usage: erl_bench.erl SCENARIO N~n", []),
    halt(2).
