// SPDX-License-Identifier: BSD-2-Clause

// Peer benchmark: Go channels and goroutines.
//
// usage: go_bench SCENARIO N     (set GOMAXPROCS in the environment; default 1)
//
// call_cross forces GOMAXPROCS=2 and locks both goroutines to OS threads;
// call_2p forces GOMAXPROCS=2 without locking.
package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	callers  = 1000
	batch    = 10000
	queueCap = 1024
	sleepFor = 3 * time.Second
)

type request struct {
	n     int
	reply chan int
}

func service(inbox <-chan request) {
	for r := range inbox {
		r.reply <- r.n * r.n
	}
}

func vm(field string) int {
	b, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(l, field+":") {
			v, _ := strconv.Atoi(strings.Fields(l)[1])
			return v
		}
	}
	return 0
}

func callLoop(n int) time.Duration {
	inbox := make(chan request)
	go service(inbox)
	reply := make(chan int)
	t0 := time.Now()
	for i := 0; i < n; i++ {
		inbox <- request{i, reply}
		<-reply
	}
	d := time.Since(t0)
	close(inbox)
	return d
}

func callCross(n int) time.Duration {
	runtime.GOMAXPROCS(2)
	inbox := make(chan request)
	go func() {
		runtime.LockOSThread()
		service(inbox)
	}()
	runtime.LockOSThread()
	reply := make(chan int)
	t0 := time.Now()
	for i := 0; i < n; i++ {
		inbox <- request{i, reply}
		<-reply
	}
	d := time.Since(t0)
	close(inbox)
	return d
}

func call2p(n int) time.Duration {
	runtime.GOMAXPROCS(2)
	return callLoop(n)
}

func pipeline(n int) time.Duration {
	inbox := make(chan request)
	go service(inbox)
	var wg sync.WaitGroup
	wg.Add(callers)
	t0 := time.Now()
	for c := 0; c < callers; c++ {
		go func() {
			defer wg.Done()
			reply := make(chan int)
			for i := 0; i < n/callers; i++ {
				inbox <- request{i, reply}
				<-reply
			}
		}()
	}
	wg.Wait()
	d := time.Since(t0)
	close(inbox)
	return d
}

func spawn(n int) time.Duration {
	done := make(chan int)
	t0 := time.Now()
	for i := 0; i < n; i++ {
		go func(i int) { done <- i * i }(i)
		<-done
	}
	return time.Since(t0)
}

func spawnGather(n int) time.Duration {
	t0 := time.Now()
	for r := 0; r < n/batch; r++ {
		var wg sync.WaitGroup
		wg.Add(batch)
		for i := 0; i < batch; i++ {
			go wg.Done()
		}
		wg.Wait()
	}
	return time.Since(t0)
}

func sleepers(n int) time.Duration {
	var wg sync.WaitGroup
	wg.Add(n)
	t0 := time.Now()
	for i := 0; i < n; i++ {
		go func() {
			time.Sleep(sleepFor)
			wg.Done()
		}()
	}
	wg.Wait()
	return time.Since(t0) - sleepFor
}

func queueRun(n, pairs int) time.Duration {
	q := make(chan int, queueCap)
	var wg sync.WaitGroup
	wg.Add(2 * pairs)
	t0 := time.Now()
	for p := 0; p < pairs; p++ {
		go func() {
			for i := 0; i < n/pairs; i++ {
				q <- i
			}
			wg.Done()
		}()
		go func() {
			for i := 0; i < n/pairs; i++ {
				<-q
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return time.Since(t0)
}

func yield(n int) time.Duration {
	var wg sync.WaitGroup
	wg.Add(2)
	t0 := time.Now()
	for g := 0; g < 2; g++ {
		go func() {
			for i := 0; i < n/2; i++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	return time.Since(t0)
}

func main() {
	scenarios := map[string]func(int) time.Duration{
		"call": callLoop, "call_cross": callCross, "call_2p": call2p,
		"pipeline": pipeline, "spawn": spawn, "spawn_gather": spawnGather,
		"sleepers": sleepers, "yield": yield,
		"queue":      func(n int) time.Duration { return queueRun(n, 1) },
		"queue_mpmc": func(n int) time.Duration { return queueRun(n, 4) },
	}
	if len(os.Args) != 3 || scenarios[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: go_bench SCENARIO N")
		os.Exit(2)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	n, _ := strconv.Atoi(os.Args[2])
	base := vm("VmRSS")
	d := scenarios[os.Args[1]](n)
	peak := vm("VmHWM")
	extra := ""
	if os.Args[1] == "sleepers" {
		extra = fmt.Sprintf(`, "rss_per_task_bytes": %d`, (peak-base)*1024/n)
	}
	fmt.Printf(`{"peer": "go/P%d", "scenario": "%s", "n": %d, "seconds": %.6f, "per_op_ns": %.1f, "rss_kb": %d%s}`+"\n",
		runtime.GOMAXPROCS(0), os.Args[1], n, d.Seconds(),
		float64(d.Nanoseconds())/float64(n), peak, extra)
}
