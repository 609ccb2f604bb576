/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies as the daemon gives them, in the single quotes of fake_server.h. */
#ifndef BAY_TESTS_CTL_CANNED_H
#define BAY_TESTS_CTL_CANNED_H

#include <jansson.h>

#define CANNED_SQUARE \
	"{'name':'square','state':'ready','enabled':true,'cell':'main','plugin':'square','version':'1.0.0'," \
	"'path':'/srv/plugins/square.so','image':'/run/bay/images/square.1.so','sha256':'00ff'," \
	"'instances':'one','concurrency':256,'overflow':'reject','in_flight':1,'queued':2," \
	"'queued_bytes':2048,'queue':1024,'queue_bytes':1048576,'served':25,'failed':3," \
	"'dropped':4,'rejected':5,'timeouts':1,'restarts':0,'since_wall_ns':1767225600000000000," \
	"'examine_took_ns':2000000,'start_took_ns':1000000," \
	"'uptime_ns':150000000000,'file':'/etc/bay.ini','line':12,'settings':{'delay':'1s'}, " \
	"'listeners':[{'name':'http','address':'127.0.0.1:80','passed':true}," \
	"{'name':'','address':'unix:/run/a.sock','passed':false}]}"

#define CANNED_BROKEN \
	"{'name':'broken','state':'failed','enabled':true,'plugin':'sleeper','version':'2.1','path':'p'," \
	"'image':'','sha256':'','instances':'per-loop','concurrency':1,'overflow':'wait'," \
	"'in_flight':0,'queued':0,'queued_bytes':0,'queue':16,'queue_bytes':65536,'served':0," \
	"'failed':0,'dropped':0,'rejected':0,'timeouts':0,'restarts':3,'since_wall_ns':0," \
	"'examine_took_ns':5000000,'start_took_ns':0," \
	"'uptime_ns':0,'reason':'init said no','next_try_ns':2000000000,'file':'/etc/bay.ini'," \
	"'line':20,'settings':{}}"

#define CANNED_LIST "{'services':[" CANNED_SQUARE "," CANNED_BROKEN "]}"

#define CANNED_STATUS "{'service':" CANNED_SQUARE ",'log':['line one','line two']}"

#define CANNED_INFO \
	"{'version':'0.1.0','abi':'1.0','pid':77,'state':'ready','config':'/etc/bay.ini'," \
	"'runtime_dir':'/run/bay','started_wall_ns':1767225600000000000," \
	"'uptime_ns':3600000000000,'loops':2,'cells':[{'name':'main','pid':78,'state':'ready'," \
	"'restarts':0,'loops':2,'rss_bytes':8388608}],'services':2,'libevent':'2.1.12-stable'," \
	"'method':'epoll'}"

#define CANNED_TASKS \
	"{'tasks':[" \
	"{'id':1,'service':'square','name':'run','loop':0,'state':'waiting'," \
	"'waiting_on':'timer','where':'square.c:12','age_ns':5000000000,'parent':0," \
	"'stack_used':4096}," \
	"{'id':2,'service':'square','name':'child','loop':0,'state':'ready','age_ns':1000000," \
	"'parent':1,'canceled':'deadline','stack_used':8192}," \
	"{'id':3,'service':'square','name':'grandchild','loop':0,'state':'running'," \
	"'age_ns':1000,'parent':2,'stack_used':0}," \
	"{'id':4,'service':'square','name':'second','loop':1,'state':'waiting'," \
	"'waiting_on':'channel','where':'square.c:40','age_ns':2000000000,'parent':1," \
	"'stack_used':4096}," \
	"{'id':5,'service':'other','name':'handle','loop':1,'state':'waiting'," \
	"'waiting_on':'call','where':'other.c:7','age_ns':10,'parent':0,'stack_used':100}]," \
	"'silent_loops':[{'loop':1,'service':'spin','task':'handle','held_ns':12000000000}]}"

#define CANNED_QUEUES \
	"{'queues':[{'service':'square','queued':2,'bytes':2048,'limit':1024," \
	"'limit_bytes':1048576,'oldest_ns':1500000000,'overflow':'reject','waiting_senders':0," \
	"'dropped':4,'rejected':5,'topic_waiting':3,'topic_lost':12},{'service':'other','queued':0,'bytes':0,'limit':16," \
	"'limit_bytes':65536,'oldest_ns':0,'overflow':'wait','waiting_senders':1,'dropped':0," \
	"'rejected':0,'topic_waiting':0,'topic_lost':0}]}"

#define CANNED_STATS \
	"{'services':[{'service':'square','state':'ready','cell':'main','calls':1000,'direct':900,'queued':95," \
	"'served':990,'failed':5,'timeouts':1,'canceled':2,'dropped':0,'rejected':5,'restarts':1," \
	"'in_flight':2,'queue':1,'queue_bytes':100,'tasks':4,'cpu_ns':1500000000,'memory_bytes':65536," \
	"'stack_used_bytes':8192,'stack_bytes':262144," \
	"'latency':{'buckets':[40,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60,60]," \
	"'sum_ns':90000,'p50_ns':1000,'p90_ns':2000,'p99_ns':5000,'max_ns':9000000,'samples':60}," \
	"'wait':{'buckets':[],'sum_ns':0,'p50_ns':0,'p90_ns':0,'p99_ns':0,'max_ns':0,'samples':0}," \
	"'total':{'buckets':[],'sum_ns':0,'p50_ns':0,'p90_ns':0,'p99_ns':0,'max_ns':0,'samples':0}}]," \
	"'loops':[{'cell':'main','loop':0,'passes':10,'switches':20,'tasks':3,'stacks':8,'wakes':4,'polls':5," \
	"'cpu_ns':2500000000,'lag':{'buckets':[],'sum_ns':70,'p50_ns':10,'p90_ns':20,'p99_ns':30,'max_ns':40," \
	"'samples':7}}]}"

/* JSON that may be written with single quotes. */
json_t *canned(const char *quoted);

#endif
