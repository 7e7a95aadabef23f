"""What leaves a partition after the commit, relayed by its primary: rejections, what rules tell, notices, schedules."""
